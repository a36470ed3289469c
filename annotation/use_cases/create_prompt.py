import json
from collections.abc import Sequence

from accounts.models import Person
from accounts.texts import write_personal_text
from annotation.models import Prompt
from foundation.encryption import blind_digest
from foundation.text import clean_json

Message = dict[str, str]


def canonical_messages(messages: Sequence[Message]) -> str:
    return json.dumps(list(messages), sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def prompt_digest(messages: Sequence[Message]) -> str:
    """Keyed digest of the messages: equal prompts have equal digests, and a digest cannot be guessed from a text."""
    return blind_digest(canonical_messages(messages), purpose="prompt")


def create_prompt(*, messages: Sequence[Message], person: Person | None, language: str = "") -> Prompt:
    """Store what is asked. A person's own words are sealed under their key."""
    cleaned = clean_json(list(messages))
    prompt = Prompt(digest=prompt_digest(cleaned), language=language)
    if person is None:
        prompt.messages = cleaned
    else:
        prompt.personal_text = write_personal_text(person=person, text=canonical_messages(cleaned))
    prompt.save()
    return prompt
