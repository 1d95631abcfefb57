"""The failure of 2022 on purpose: a limit that nobody knows, on each layer in turn, while everybody composes.

Docs: `docs/limits.md`.
"""
