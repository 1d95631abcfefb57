"""Reads of rankings and of results. Before publication nothing here gives a name or a mark to a candidate."""
