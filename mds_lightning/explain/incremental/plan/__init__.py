"""Which windows are computed together, and which part of every map."""
