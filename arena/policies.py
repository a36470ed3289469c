"""Rules of the arena that need no database."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from arena.errors import ArenaError
from inference_workers.enums import Output

# How long a battle waits for its vote before its impression counts as left.
VOTE_LEASE = timedelta(hours=24)
# A battle whose models have not answered by then is void; well above a completion's attempts.
ANSWER_LIMIT = timedelta(minutes=10)
# Within which battles are counted that may be a flood.
FLOOD_WINDOW = timedelta(minutes=1)
# For how long a challenge is good, and from when on waiting is as good as solving it.
WORK_EXPIRES = timedelta(minutes=10)
WORK_WAIT = timedelta(minutes=1)
# Of an entry's weight and of its boost.
HEAVIEST = 1000.0

# What an arena asks, says and shows where nobody has written anything else. Preference of everybody; what the better
# one is worth of a random half, which the impression records; reasons and words of whoever likes to give them.
PURPOSE = "Which answer visitors would rather have received to their own prompts, and by how much."
CHOSEN = {"question": "preference", "values": ["a", "b"]}
REASONS = (
    *("More correct", "More complete", "Clearer", "Follows what was asked", "Better tone", "Better length", "Safer"),
)
QUESTIONS: tuple[dict[str, Any], ...] = (
    {"name": "preference", "type": "preference", "settings": {"strength": "optional"}},
    {"name": "acceptable", "type": "acceptable", "required": False, "settings": {"mode": "neither"}},
    {"name": "worth", "type": "amount", "required": False, "ask_probability": 0.5},
    {
        "name": "reasons",
        "type": "labels",
        "title": "What is better about it?",
        "required": False,
        "condition": CHOSEN,
        "settings": {
            "options": list(REASONS),
        },
    },
    {
        "name": "rationale",
        "type": "rationale",
        "title": "Anything to add?",
        "required": False,
        "condition": CHOSEN,
    },
)
# Of three or four: their order, ties allowed, in place of a preference.
QUESTIONS_OF_SEVERAL: tuple[dict[str, Any], ...] = (
    {"name": "order", "type": "ranking", "settings": {"ties": "allowed"}},
    {"name": "acceptable", "type": "acceptable", "required": False},
    {
        "name": "worth",
        "type": "amount",
        "required": False,
        "ask_probability": 0.5,
        "settings": {"mode": "per_response"},
    },
    {
        "name": "reasons",
        "type": "labels",
        "title": "What is better about the best one?",
        "required": False,
        "settings": {"options": list(REASONS)},
    },
    {"name": "rationale", "type": "rationale", "title": "Anything to add?", "required": False},
)
GUIDELINES = (
    "Judge as the person who asked. Say which answer you would rather have received, whatever the reason: it may be"
    " right where the other is wrong, clearer, kinder or shorter. Ignore who might have written it."
)
CONSENT = (
    "Your prompt goes to two language models, or more where the arena says so; some may run on other companies’"
    " machines. Prompt, answers and vote are kept under a pseudonym, and researchers may get them in datasets, to study"
    " preferences and to train models. What you write is encrypted with a key of your own, and becomes unreadable when"
    " you have it erased. Write nothing private: no names, addresses, health or bank details."
)
EXAMPLES = (
    "Explain compound interest to a ten-year-old.",
    "Write a polite email that declines a meeting.",
    "Why is the sky blue?",
    "Give me three ideas for a quick vegetarian dinner.",
)


# Where the answers are files: reasons that can be seen or heard, and prompts that can be drawn, said or filmed.
REASONS_OF: Mapping[str, tuple[str, ...]] = {
    "image": ("Shows what was asked", "More beautiful", "More real", "Fewer faults", "Better text in it", "Safer"),
    "audio": ("Says what was asked", "Sounds more natural", "Clearer", "Better tone", "Fewer faults", "Safer"),
    "video": ("Shows what was asked", "Moves more naturally", "More beautiful", "Fewer faults", "Safer"),
}
EXAMPLES_OF: Mapping[str, tuple[str, ...]] = {
    "image": (
        "A lighthouse in a storm, as an oil painting.",
        "A cat asleep on a pile of old books.",
        "A poster that says “Open on Sundays”.",
    ),
    "audio": (
        "Welcome aboard! We will be landing in about twenty minutes.",
        "Once upon a time there was a fox who could not sleep.",
        "Your code is seven, four, one, nine.",
    ),
    "video": (
        "Waves roll onto a beach at sunset.",
        "A paper boat floats down a stream in the rain.",
        "A cook tosses a pancake.",
    ),
}
# How much of each sound or film must have been played before a vote, where nobody says otherwise.
PLAYED_SHARE = 0.5


def questions_for(contestants: int, output: str = Output.TEXT) -> tuple[dict[str, Any], ...]:
    """What an arena whose battles have so many models asks, where nobody has written anything else."""
    questions = QUESTIONS if contestants == 2 else QUESTIONS_OF_SEVERAL
    if output not in REASONS_OF:
        return questions
    options = {"settings": {"options": list(REASONS_OF[output])}}
    return tuple({**each, **options} if each["name"] == "reasons" else each for each in questions)


def played_share_for(output: str) -> float | None:
    return PLAYED_SHARE if output in (Output.AUDIO, Output.VIDEO) else None


def begins_with(output: str) -> dict[str, Any]:
    """Columns of a new arena whose models answer with it."""
    turns = {} if output == Output.TEXT else {"max_turns": 1}
    return {"output": output, "examples": list(EXAMPLES_OF.get(output, EXAMPLES)), **turns}


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


# A class of a moderation model that has no limit of its own.
ANY_CLASS = "*"
NEVER = "never"


class BadLimits(ArenaError):
    """Limits of a moderation model that cannot be read; the message names the line."""


def read_limits(lines: str) -> dict[str, float | None]:
    """Of lines such as `violence = 0.7`, `* = 0.5` for every other class and `harmless = never`. Raises BadLimits."""
    limits: dict[str, float | None] = {}
    for line in filter(None, map(str.strip, lines.splitlines())):
        name, _, said = (part.strip() for part in line.rpartition("="))
        if not name or len(name) > 80 or name in limits:
            raise BadLimits(f"Write each class once, as class = limit: {line[:80]}")
        limits[name] = None if said == NEVER else _limit(said, line)
    if all(limit is None for limit in limits.values()):
        raise BadLimits("Give at least one class a limit, such as * = 0.5 for all of them.")
    return limits


def _limit(said: str, line: str) -> float:
    try:
        limit = float(said)
    except ValueError:
        limit = -1.0
    if not 0.0 < limit <= 1.0:
        raise BadLimits(f"A limit is a number above 0 and up to 1, or never: {line[:80]}")
    return limit


def written_limits(limits: Mapping[str, float | None]) -> str:
    return "\n".join(f"{name} = {NEVER if limit is None else f'{limit:g}'}" for name, limit in limits.items())


def classes_beyond(scores: Mapping[str, float], limits: Mapping[str, float | None]) -> list[str]:
    """The classes whose scores reach their limits, the surest first."""
    found = []
    for name, score in scores.items():
        limit = limits.get(name, limits.get(ANY_CLASS))
        if limit is not None and score >= limit:
            found.append(name)
    return sorted(found, key=lambda name: (-scores[name], name))
