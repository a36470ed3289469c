from django import template

from annotation.boards.wording import REASONS

register = template.Library()


@register.filter
def in_words(name: str) -> str:
    """A name of a program that no page has words for: "dry_run" is "Dry run"."""
    return name.replace("_", " ").capitalize()


@register.filter
def no_board_words(reason: str) -> str:
    """Why a dry run found no board. Those of before kept words in place of a code."""
    return str(REASONS.get(reason, reason))
