"""What decides in centres: pure functions on frozen values."""
