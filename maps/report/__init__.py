"""The weekly report: one model of it, written in several formats."""
