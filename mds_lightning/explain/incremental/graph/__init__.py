"""Reads the graph of a network into a program: which nodes are known to be local."""
