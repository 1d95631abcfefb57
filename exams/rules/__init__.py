"""What the exam decides: pure functions on frozen dataclasses, no Django, no clock, no input or output."""
