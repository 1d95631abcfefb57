"""Reads, by noun. Nothing here writes."""
