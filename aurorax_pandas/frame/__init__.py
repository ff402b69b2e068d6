"""The conjunctions frame: its model, its records, its order, its schema, its events, its origin."""
