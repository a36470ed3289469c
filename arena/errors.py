class ArenaError(Exception):
    """What this app refuses by name; each refusal stands beside the use case that raises it."""
