"""The eyes of operations: what limits the house, health, metrics, the board.

`rules` judges, `signs`, `kernel`, `engines`, `proxy`, `firewall` and `newcomer` read, `watcher` does both every second
and a half; `metrics`, `health` and `board` show. Names of layers are those of `ecni.preflight.limits` where both know
them.
"""
