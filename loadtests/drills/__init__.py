"""Drills: one fault of a real exam day at a time, on real processes, then the verdict of the independent checker."""
