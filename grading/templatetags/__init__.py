"""How the figures of marking are written in French."""
