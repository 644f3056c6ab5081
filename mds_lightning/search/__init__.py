"""Searches and sweeps that can be interrupted, resumed and shared by several workers."""
