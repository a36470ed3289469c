from collections.abc import Sequence

from accounts.models import Person
from accounts.texts import write_personal_text
from annotation.imports.messages import Message, canonical_messages
from annotation.models import Prompt
from annotation.policies.lengths import length_of
from foundation.encryption import blind_digest
from foundation.text import clean_json


def prompt_digest(messages: Sequence[Message]) -> str:
    """Keyed digest of the messages: equal prompts have equal digests, and a digest cannot be guessed from a text."""
    return canonical_digest(canonical_messages(messages))


def canonical_digest(canonical: str) -> str:
    """The digest of messages that are canonical already."""
    return blind_digest(canonical, purpose="prompt")


def create_prompt(*, messages: Sequence[Message], person: Person | None, language: str = "") -> Prompt:
    """Store what is asked. A person's own words are sealed under their key."""
    cleaned = clean_json(list(messages))
    prompt = Prompt(digest=prompt_digest(cleaned), language=language, length=length_of(cleaned))
    if person is None:
        prompt.messages = cleaned
    else:
        prompt.personal_text = write_personal_text(person=person, text=canonical_messages(cleaned))
    prompt.save()
    return prompt
