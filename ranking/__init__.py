"""From marks to the published order: totals, ties, anonymity, publication. The only app that sees marks and names."""
