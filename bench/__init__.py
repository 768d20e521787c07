"""Measures us beside our peers, in the same run: read the ratios, the machine is never quiet."""
