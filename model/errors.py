"""Whose fault it is stands in the type of the error."""


class InputError(Exception):
    """Something the user gave us is wrong. The message names the place and the remedy."""


class UnavailableError(Exception):
    """Something outside is not as it must be (no permission, disk full, port taken); the message
    says what to do. Neither the user's input nor a bug of ours."""
