"""Writes: each function is one deed, in one transaction, that decides by calling `exams.rules`."""
