"""A province in a box with known truth: real packets, scripted misfortune."""
