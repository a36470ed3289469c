"""Embeddings, rewards and classes of models from local folders, in this process."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModel, AutoModelForSequenceClassification, AutoTokenizer
from transformers.utils import logging as transformers_logging

from .chat import PromptEncoder
from .measuring import Measure, Reading
from .model_folders import check_folder
from .model_loading import open_device
from .protocol import ErrorCode, GenerationFailure, MeasureRequest, ModelRef, Task, failure
from .text_stream import clean

transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]

BATCH = 16
CONTEXT = 8192
# Tokens that pieces of one text have in common.
OVERLAP = 32
# Kept in memory; the one used longest ago goes first.
MOST_LOADED = 2
# Models that attend in one direction say what they know of a text in its last token, the others in all of them.
DECODERS = ("ForCausalLM",)


@dataclass(frozen=True, slots=True)
class Encoder:
    model: Any
    tokenizer: Any
    chats: PromptEncoder
    context: int
    last_token: bool


class Encoders:
    """Loads models by folder and task: safetensors only, no code from the folder, no network."""

    def __init__(self, *, device: str | None = None, threads: int | None = None) -> None:
        self._device = open_device(device)
        self._threads = threads
        self._loaded: OrderedDict[tuple[ModelRef, Task], Encoder] = OrderedDict()

    def measure(self, requests: Sequence[MeasureRequest]) -> list[Reading | GenerationFailure]:
        """What `MeasuringBackend` calls, with requests of one model and task."""
        if self._threads is not None:
            torch.set_num_threads(self._threads)
        encoder = self._encoder(requests[0].model, requests[0].task)
        if requests[0].task == Task.CLASSES:
            return [self._classes(encoder, request) for request in requests]
        ends: list[Reading | GenerationFailure] = []
        ids: list[list[int]] = []
        for request in requests:
            try:
                ids.append(_tokens(encoder, request))
            except GenerationFailure as fault:
                ids.append([])
                ends.append(fault)
                continue
            ends.append(Reading((), len(ids[-1])))
        places = [place for place, tokens in enumerate(ids) if tokens]
        numbers = self._forward(encoder, [ids[place] for place in places], requests[0].task) if places else []
        for place, found in zip(places, numbers, strict=True):
            ends[place] = Reading(tuple(found), len(ids[place]))
        return ends

    def _classes(self, encoder: Encoder, request: MeasureRequest) -> Reading | GenerationFailure:
        """Of a text that does not fit, piece by piece: a class has the score of the piece that is most of it, so that
        nothing is hidden behind a long beginning."""
        pieces = encoder.tokenizer(
            clean(request.messages[-1].content),
            truncation=True,
            max_length=encoder.context,
            stride=min(OVERLAP, encoder.context // 4),
            return_overflowing_tokens=True,
        )["input_ids"]
        if not pieces or not pieces[0]:
            return failure(ErrorCode.PROMPT_INVALID, "the text is empty")
        scores: list[list[float]] = []
        for start in range(0, len(pieces), BATCH):
            scores += self._forward(encoder, pieces[start : start + BATCH], request.task)
        most = tuple(max(of_class) for of_class in zip(*scores, strict=True))
        return Reading(most, sum(map(len, pieces)), class_names(encoder.model.config))

    @torch.inference_mode()
    def _forward(self, encoder: Encoder, rows: list[list[int]], task: Task) -> list[list[float]]:
        longest = max(map(len, rows))
        pad = encoder.tokenizer.pad_token_id
        shape = (len(rows), longest)
        # On the right, where a row's own places stay what they are alone.
        ids, mask = torch.full(shape, 0 if pad is None else pad), torch.zeros(shape, dtype=torch.long)
        for number, row in enumerate(rows):
            ids[number, : len(row)] = torch.tensor(row)
            mask[number, : len(row)] = 1
        out = encoder.model(input_ids=ids.to(self._device), attention_mask=mask.to(self._device))
        if task == Task.REWARD:
            rewards: list[list[float]] = out.logits.float().cpu().tolist()
            return rewards
        if task == Task.CLASSES:
            several = len(class_names(encoder.model.config)) == 1 or (
                encoder.model.config.problem_type == "multi_label_classification"
            )
            logits = out.logits.float().cpu()
            classes: list[list[float]] = (logits.sigmoid() if several else logits.softmax(-1)).tolist()
            return classes
        hidden, seen = out.last_hidden_state.float().cpu(), mask.unsqueeze(-1)
        if encoder.last_token:
            pooled = hidden[torch.arange(len(rows)), mask.sum(1) - 1]
        else:
            pooled = (hidden * seen).sum(1) / seen.sum(1)
        vectors: list[list[float]] = pooled.tolist()
        return vectors

    def _encoder(self, ref: ModelRef, task: Task) -> Encoder:
        found = self._loaded.get((ref, task))
        if found is None:
            while len(self._loaded) >= MOST_LOADED:
                self._loaded.popitem(last=False)
            found = self._loaded[ref, task] = load_encoder(Path(ref.path), task, self._device)
        self._loaded.move_to_end((ref, task))
        return found


def local_measure(*, device: str | None, threads: int | None) -> Measure:
    return Encoders(device=device, threads=threads).measure


def load_encoder(folder: Path, task: Task, device: torch.device) -> Encoder:
    """Raises GenerationFailure with code model_load, whose message says what is wrong with the folder or the model."""
    check_folder(folder)
    try:
        return _load(folder, task, device)
    except GenerationFailure:
        raise
    except torch.OutOfMemoryError as error:
        text = f"{folder.name} does not fit into the memory of {device.type}"
        raise failure(ErrorCode.OUT_OF_MEMORY, text, retryable=True) from error
    except Exception as error:
        text = f"{folder.name} could not be loaded: {type(error).__name__}: {error}"
        raise failure(ErrorCode.MODEL_LOAD, text[:500]) from error


def _load(folder: Path, task: Task, device: torch.device) -> Encoder:
    local = {"local_files_only": True, "trust_remote_code": False}
    config = AutoConfig.from_pretrained(folder, **local)
    tokenizer = AutoTokenizer.from_pretrained(folder, **local)
    kind: Any = AutoModel if task == Task.EMBEDDING else AutoModelForSequenceClassification
    if task != Task.EMBEDDING:
        _refuse_without_head(folder, task, config, tokenizer)
        if config.pad_token_id is None:
            config.pad_token_id = tokenizer.pad_token_id
    model = kind.from_pretrained(folder, config=config, dtype=torch.float32, use_safetensors=True, **local)
    longest = getattr(config, "max_position_embeddings", None) or CONTEXT
    return Encoder(
        model=model.to(device).eval(),
        tokenizer=tokenizer,
        chats=PromptEncoder(tokenizer, opens_answer=False),
        context=min(longest, CONTEXT),
        last_token=any(name.endswith(DECODERS) for name in config.architectures or ()),
    )


def _refuse_without_head(folder: Path, task: Task, config: Any, tokenizer: Any) -> None:
    """Raises GenerationFailure with code model_load."""
    what = "reward model" if task == Task.REWARD else "model that sorts texts"
    if task == Task.REWARD and not tokenizer.chat_template:
        raise failure(ErrorCode.MODEL_LOAD, f"{folder.name} has no chat template")
    if not any(name.endswith("ForSequenceClassification") for name in config.architectures or ()):
        # Its head would be made of random numbers, and so would all that it says.
        raise failure(ErrorCode.MODEL_LOAD, f"{folder.name} is no {what}: it has no classification head")
    if task == Task.REWARD and config.num_labels != 1:
        text = f"{folder.name} is no reward model: it tells {config.num_labels} labels apart, a reward is one"
        raise failure(ErrorCode.MODEL_LOAD, text)
    if task == Task.CLASSES and not tokenizer.is_fast:
        raise failure(ErrorCode.MODEL_LOAD, f"{folder.name} has no tokenizer.json, by which long texts are divided")


def class_names(config: Any) -> tuple[str, ...]:
    return tuple(str(config.id2label[number]) for number in range(config.num_labels))


def _tokens(encoder: Encoder, request: MeasureRequest) -> list[int]:
    """Raises GenerationFailure: context_too_long, prompt_invalid. Nothing is cut: a vector of half a text would be
    taken for that of the whole."""
    if request.task == Task.REWARD:
        return encoder.chats.encode(request.messages, room=encoder.context)
    ids: list[int] = encoder.tokenizer(clean(request.messages[-1].content))["input_ids"]
    if not ids:
        raise failure(ErrorCode.PROMPT_INVALID, "the text is empty")
    if len(ids) > encoder.context:
        raise failure(ErrorCode.CONTEXT_TOO_LONG, f"the text has {len(ids)} tokens and {encoder.context} fit")
    return ids
