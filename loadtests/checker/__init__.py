"""The independent checker: what tablets saw, what staff granted and what the database says, held against each other.

It imports nothing of the product nor of the rest of `loadtests`, and needs the standard library alone. Its inputs and
what it decides are written in `docs/checker.md`.
"""
