"""Ours against the best we can write by hand, in one run: what is printed is a ratio."""
