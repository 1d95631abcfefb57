"""Load waves: a national sitting replayed centre by centre on real processes, measured, and held against its promises.

`docs/load-waves.md` says how to run it and how to read its report. Nothing here imports the product: candidates speak
the wire of `docs/protocol.md`, and what they saw is held against the database by plain SQL.
"""
