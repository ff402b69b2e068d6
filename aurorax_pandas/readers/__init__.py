"""Network to frame in one call."""
