class InferenceError(Exception):
    """What this app refuses by name."""
