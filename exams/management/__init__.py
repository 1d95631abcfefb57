"""Commands of the exam."""
