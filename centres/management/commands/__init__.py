"""Commands of people and places."""
