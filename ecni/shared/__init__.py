"""The floor of the house: what two apps already need, one noun a file. It imports no app."""
