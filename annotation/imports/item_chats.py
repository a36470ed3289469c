"""What is asked and what was answered, from cells that hold plain text or chat messages."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from annotation.imports.cells import BadCell
from annotation.imports.messages import Message
from annotation.imports.problems import show
from foundation.text import UnsafeJSON, clean_text, load_json

Named = Sequence[tuple[str, str]]

ROLES = ("system", "user", "assistant")
LONGEST_CELL = 1_000_000
# A list of objects, as JSON or as Python prints it; and one that is meant as messages even where it is no JSON.
OBJECTS = re.compile(r"\s*\[\s*\{")
MESSAGES = re.compile(r"""\s*\[\s*\{\s*["'](role|content|from|value)["']\s*:""")


@dataclass(frozen=True)
class Conversation:
    """`prompt` is what is asked. `turns` holds each response's turns; between two turns stands one of `follow_ups`."""

    prompt: list[Message]
    follow_ups: list[Message]
    turns: list[list[str]]


def read_conversation(prompt: tuple[str, str | None], system: tuple[str, str | None], answers: Named) -> Conversation:
    """Each cell comes with the name that a refusal gives it. Raises BadCell.

    A response that begins with the whole prompt is taken without it. Where there is no prompt, it is what all
    responses, which then must be chats, have in common up to their last common message from the user.
    """
    name, cell = prompt
    chats = [(label, read_messages(label, text)) for label, text in answers]
    asked = read_prompt(name, cell) if cell is not None else _common(chats)
    if system[1]:
        if asked[0]["role"] == "system":
            raise BadCell(f"{system[0]} is given, and {name} has a system message of its own")
        asked = [{"role": "system", "content": clean_text(system[1])}, *asked]
    replies = [(label, _without(asked, messages)) for label, messages in chats]
    for label, messages in replies:
        _check_reply(label, messages)
    said = [[message for message in messages if message["role"] == "user"] for _label, messages in replies]
    for (label, _messages), others in zip(replies, said, strict=True):
        if others != said[0]:
            raise BadCell(f"{label}: between its turns the user says something else than in {replies[0][0]}")
    turns = [[message["content"] for message in messages[::2]] for _label, messages in replies]
    return Conversation(asked, said[0], turns)


def read_messages(name: str, cell: str) -> list[Message]:
    """Chat messages, or a plain text as the one message of the assistant."""
    found = _messages(name, cell)
    return [{"role": "assistant", "content": clean_text(cell)}] if found is None else found


def read_prompt(name: str, cell: str) -> list[Message]:
    """What is asked: chat messages that end with the user's, or a plain text as the user's one. Raises BadCell."""
    messages = _messages(name, cell)
    if messages is None:
        return [{"role": "user", "content": clean_text(cell)}]
    if messages[-1]["role"] != "user":
        raise BadCell(f"{name} ends with a message from {messages[-1]['role']}, not from user")
    return messages


def _messages(name: str, cell: str) -> list[Message] | None:
    """None for a plain text, which may well begin with a bracket."""
    if len(cell) > LONGEST_CELL:
        raise BadCell(f"{name} has {len(cell)} characters, more than {LONGEST_CELL}")
    if not OBJECTS.match(cell):
        return None
    try:
        value = load_json(cell)
    except UnsafeJSON as error:
        if MESSAGES.match(cell):
            raise BadCell(f"{name} begins as chat messages do, but is not JSON: {str(error)[:80]}") from error
        return None
    if not MESSAGES.match(cell) and "role" not in value[0]:
        return None
    if not all(isinstance(each, dict) for each in value):
        raise BadCell(f"{name} is {show(cell)}, not a list of messages with role and content")
    return [_message(name, place, each) for place, each in enumerate(value)]


def _message(name: str, place: int, given: dict[str, object]) -> Message:
    role, content = given.get("role"), given.get("content")
    if role not in ROLES:
        raise BadCell(
            f"{name}, message {place + 1}: its role is {show(role)}, not {', '.join(ROLES[:-1])} or assistant"
        )
    if not isinstance(content, str) or not content.strip():
        raise BadCell(f"{name}, message {place + 1}: its content is {show(content)}, not a text")
    if role == "system" and place:
        raise BadCell(f"{name}, message {place + 1}: a system message comes first or not at all")
    return {"role": str(role), "content": content}


def _common(chats: Sequence[tuple[str, list[Message]]]) -> list[Message]:
    shared = 0
    first = chats[0][1]
    while shared < len(first) and all(messages[shared : shared + 1] == [first[shared]] for _label, messages in chats):
        shared += 1
    while shared and first[shared - 1]["role"] != "user":
        shared -= 1
    if not shared:
        raise BadCell("there is no prompt: no column says it, and the responses do not begin with the same one")
    return first[:shared]


def _without(prompt: list[Message], messages: list[Message]) -> list[Message]:
    for asked in (prompt, [message for message in prompt if message["role"] != "system"]):
        if len(messages) > len(asked) and messages[: len(asked)] == asked:
            return messages[len(asked) :]
    return messages


def _check_reply(name: str, messages: list[Message]) -> None:
    if messages[0]["role"] != "assistant":
        raise BadCell(f"{name} begins with a message from {messages[0]['role']}, and not with the prompt")
    if messages[-1]["role"] != "assistant":
        raise BadCell(f"{name} ends with a message from {messages[-1]['role']}, not from assistant")
    if any(message["role"] != ("user" if place % 2 else "assistant") for place, message in enumerate(messages)):
        raise BadCell(f"{name}: messages from assistant and user do not take turns")
