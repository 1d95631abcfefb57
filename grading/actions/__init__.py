"""Marking: start a run, mark its chunks, finish it. Killed anywhere, it resumes; run twice, it gives the same bytes."""
