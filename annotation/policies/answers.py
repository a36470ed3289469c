"""How published answers to annotators' questions stand in the guidelines."""

from collections.abc import Sequence

from django.utils.translation import gettext as _


def with_answers(text: str, answers: Sequence[tuple[str, str]]) -> str:
    """The guidelines' own Markdown with a section of questions and their answers at its end, where there are any."""
    if not answers:
        return text
    parts = [f"## {' '.join(question.split())}\n\n{answer.strip()}" for question, answer in answers]
    return "\n\n".join([text.rstrip(), f"# {_('Questions and answers')}", *parts]).lstrip() + "\n"
