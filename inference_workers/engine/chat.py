"""From chat messages to the token ids a model is given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jinja2.exceptions import TemplateError

from .protocol import ChatMessage, ErrorCode, failure
from .text_stream import clean


class PromptEncoder:
    """Puts messages into a model's own chat template, open for the assistant's answer.

    What people wrote cannot pose as another role: special tokens spelled out in a message are taken out first. A
    template without a system role gets the system prompt in front of the first message of the user.
    """

    def __init__(self, tokenizer: Any, *, opens_answer: bool = True) -> None:
        self._tokenizer = tokenizer
        # A reward model reads a whole chat, which ends with an answer.
        self._opens_answer = opens_answer
        self._special = [token.content for token in tokenizer.added_tokens_decoder.values() if token.special]
        self._longest_token = max(len(token) for token in tokenizer.get_vocab())

    def encode(self, messages: Sequence[ChatMessage], *, room: int) -> list[int]:
        """The prompt's token ids, at most `room`. Raises GenerationFailure: prompt_invalid, context_too_long."""
        if sum(len(message.content) for message in messages) > room * self._longest_token:
            # Refused without encoding it, which would take long.
            raise failure(ErrorCode.CONTEXT_TOO_LONG, f"the prompt has far more than {room} tokens")
        chat = [{"role": m.role, "content": self._without_special(clean(m.content))} for m in messages]
        ids: list[int] = self._tokenizer(self._render(chat), add_special_tokens=False)["input_ids"]
        if not ids:
            raise failure(ErrorCode.PROMPT_INVALID, "the prompt is empty")
        if len(ids) > room:
            raise failure(ErrorCode.CONTEXT_TOO_LONG, f"the prompt has {len(ids)} tokens and {room} fit")
        return ids

    def _without_special(self, text: str) -> str:
        """Repeats until nothing is found, since taking one out can join the halves of another."""
        before = ""
        while before != text:
            before = text
            for token in self._special:
                text = text.replace(token, "")
        return text

    def _render(self, chat: list[dict[str, str]]) -> str:
        try:
            return self._apply(chat)
        except TemplateError as refusal:
            if chat[0]["role"] != "system" or len(chat) < 2:
                raise failure(ErrorCode.PROMPT_INVALID, f"the chat template refused: {refusal}") from refusal
        system, first, *rest = chat
        merged = {"role": first["role"], "content": f"{system['content']}\n\n{first['content']}"}
        try:
            return self._apply([merged, *rest])
        except TemplateError as refusal:
            raise failure(ErrorCode.PROMPT_INVALID, f"the chat template refused: {refusal}") from refusal

    def _apply(self, chat: list[dict[str, str]]) -> str:
        return str(self._tokenizer.apply_chat_template(chat, add_generation_prompt=self._opens_answer, tokenize=False))
