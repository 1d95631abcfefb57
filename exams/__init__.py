"""What is sat, and the sitting of it: sheets, never people."""
