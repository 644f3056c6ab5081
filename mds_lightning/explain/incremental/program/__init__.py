"""A network as a sequence of local operations, and the rest of its graph."""
