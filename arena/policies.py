"""Rules of the arena that need no database."""

from datetime import timedelta

from arena.errors import ArenaError

# How long a battle waits for its vote before its impression counts as left.
VOTE_LEASE = timedelta(hours=24)
# A battle whose models have not answered by then is void; well above a completion's attempts.
ANSWER_LIMIT = timedelta(minutes=10)
BATTLES_PER_NETWORK_AND_HOUR = 300


class PromptRefused(ArenaError):
    """The prompt cannot be asked; `message` says what to change. No battle exists."""


def checked_prompt(text: str, *, longest: int) -> str:
    """The prompt without surrounding white space, or PromptRefused."""
    stripped = text.strip()
    if not stripped:
        raise PromptRefused("Write something to ask first.")
    if len(stripped) > longest:
        raise PromptRefused(
            f"This prompt has {len(stripped):,} characters; {longest:,} is the most both models can take."
        )
    return stripped
