"""Pure functions from frame to frame: events, pairs, intervals and selections."""
