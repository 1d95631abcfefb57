"""Pages of candidates at the door, of rooms, and of the nation."""
