"""Pictures of conjunctions: frame to Axes, each module named for its verb."""
