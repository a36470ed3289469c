"""Which rows train and which test: by the prompt's cluster, so that equal prompts never stand on both sides."""

from hashlib import sha256

TRAIN, TEST = "train", "test"
SPLITS = (TRAIN, TEST)
# One cluster in so many is held out.
HELD_OUT = 10


def split_of(cluster: str) -> str:
    """The same in every version and every view."""
    number = int.from_bytes(sha256(f"split {cluster}".encode()).digest()[:8], "big")
    return TEST if number % HELD_OUT == 0 else TRAIN
