"""The weekly report: one model of the week, and the forms it is written in."""
