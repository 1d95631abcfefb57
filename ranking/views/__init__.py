"""Pages of the jury and of the agency, and the results that each candidate reads."""
