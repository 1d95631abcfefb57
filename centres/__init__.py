"""People and places: candidates, centres, rooms, seats, slips, and the consoles of the day."""
