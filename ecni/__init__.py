"""The composition root: knows every app, known by none but for its floor, `accounts` and `shared`."""
