"""Simulated candidates: they speak the real wire, keep their own journal, and import nothing of the product."""
