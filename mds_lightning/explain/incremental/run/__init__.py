"""Computes the windows of a plan."""
