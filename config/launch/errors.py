"""Refusals that the person at the terminal can act on: printed as one line, exit status 1."""


class LaunchError(Exception):
    """Something outside Cardinal must change first; the message says what."""
