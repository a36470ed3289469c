"""How long a failed attempt waits before the next."""

from inference_workers.enums import Priority

# How long a failed attempt waits before the next, in seconds, by number of attempts made.
RETRY_SECONDS = (1.0, 4.0, 15.0)
LONGEST_RETRY_SECONDS = 60.0
# The same while a person waits, who learns within seconds that a model does not answer. None is longer than a pump
# stays for a retry that is due.
VISITOR_RETRY_SECONDS = (0.5, 1.5)
LONGEST_VISITOR_RETRY_SECONDS = 1.5


def retry_delay(attempts: int, asked_for: float | None, *, priority: int) -> float | None:
    """Seconds to wait before the next attempt: what the endpoint asked for if it did, within a minute.

    None while a person waits and the endpoint wants to be left alone for longer than a person would: no attempt then.
    """
    if priority == Priority.VISITOR:
        usual = VISITOR_RETRY_SECONDS[min(attempts, len(VISITOR_RETRY_SECONDS)) - 1]
        return None if (asked_for or 0.0) > LONGEST_VISITOR_RETRY_SECONDS else max(asked_for or 0.0, usual)
    usual = RETRY_SECONDS[min(attempts, len(RETRY_SECONDS)) - 1]
    return min(max(asked_for or 0.0, usual), LONGEST_RETRY_SECONDS)
