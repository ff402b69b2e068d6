"""One page to ask a search with: views that share a selection, in a notebook and as a file."""
