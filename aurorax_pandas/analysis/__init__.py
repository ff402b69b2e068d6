"""From frame to frame: what a physicist asks of conjunctions next."""
