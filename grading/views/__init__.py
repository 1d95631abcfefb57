"""Pages of marking and of the jury."""
