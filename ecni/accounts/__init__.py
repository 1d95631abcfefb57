"""Staff accounts, roles and the log of their deeds.

Candidates have no account: they enter by an admission made in `centres`.
"""
