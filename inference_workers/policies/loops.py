"""When a text only repeats itself."""

LOOP_CHARACTERS = 1000
LOOP_UNIT = 120


def is_looping(text: str) -> bool:
    """Whether the last 1,000 characters are one unit of at most 120 over and over, the last time perhaps in part."""
    tail = text[-LOOP_CHARACTERS:]
    return len(tail) == LOOP_CHARACTERS and _smallest_period(tail) <= LOOP_UNIT


def _smallest_period(text: str) -> int:
    """Length of the shortest unit of which `text` is a repetition, by the failure function of Knuth, Morris, Pratt."""
    borders = [0] * len(text)
    length = 0
    for index in range(1, len(text)):
        while length and text[index] != text[length]:
            length = borders[length - 1]
        length += text[index] == text[length]
        borders[index] = length
    return len(text) - borders[-1]
