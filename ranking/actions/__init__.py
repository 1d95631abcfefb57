"""Ranking, publishing, and opening the results to their owner."""
