"""Searches and sweeps that survive being killed, shared and requeued."""
