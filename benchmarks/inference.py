"""The generation worker against a plain loop: `model.generate` for one prompt after the other, same model, same type,
same threads, same prompts, temperature 0, same limit of new tokens.

A battle is two completions. Both sides get all of its requests at the same moment, so a request's first token comes,
in the loop, after all requests before it were finished. The loop's speed does not depend on how many requests follow,
so each size is compared with two completions just before it and two just after: the machine's other load is the same.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import mean, median
from typing import Any

import torch
from transformers.generation.streamers import BaseStreamer

from benchmarks.rows import Row
from config.launch.folder import data_folder
from inference_workers.engine.model_loading import LoadedModel, load_model, pick_device, pick_dtype
from inference_workers.engine.protocol import ChatMessage, Failed, Finished, GenerationRequest, ModelRef, Sampling
from inference_workers.engine.settings import TransformersSettings
from inference_workers.engine.smollm2 import smollm2_folder
from inference_workers.engine.transformers_backend import TransformersBackend

SIZES = {"1 battle": 2, "2 battles": 4, "8 completions": 8, "8 battles": 16}
QUESTIONS = [
    "Explain to a child why the sky is blue.",
    "Write a short story about a lighthouse keeper who finds a message in a bottle.",
    "What should I consider before I buy a used bicycle?",
    "Describe how bread is made, step by step.",
    "Give me five ideas for a rainy Sunday with children, each with one sentence of explanation.",
    "Why did the Roman Empire fall? Name several reasons and say which one you find most convincing.",
    "Write a polite letter to my neighbour about the noise in the evenings.",
    "How does a refrigerator keep things cold?",
]


@dataclass(frozen=True)
class Run:
    """What one side needed for a set of requests."""

    tokens_per_second: float
    first_token_s: float


def run(quick: bool) -> list[Row]:
    """Rows for each number of parallel battles. A full run takes the median of three rounds."""
    new_tokens, rounds = (24, 1) if quick else (64, 3)
    folder = data_folder().path / "models"
    model = ModelRef(str(smollm2_folder(folder)))
    device = pick_device()
    loaded = load_model(model, device=device, dtype=pick_dtype(device), context_limit=4096)
    backend = TransformersBackend(TransformersSettings(capacity=max(SIZES.values())))
    backend.warm(model, 60.0)
    ours: dict[str, list[Run]] = {size: [] for size in SIZES}
    peer: dict[str, list[Run]] = {size: [] for size in SIZES}
    generate_alone(loaded, question(0), 2)
    for number in range(rounds):
        for size, count in SIZES.items():
            alone = [generate_alone(loaded, question(2 * number + n), new_tokens) for n in (0, 2)]
            ours[size].append(in_parallel(backend, model, count, new_tokens))
            alone += [generate_alone(loaded, question(2 * number + n), new_tokens) for n in (4, 6)]
            peer[size].append(one_by_one(alone, count))
    backend.close()
    return [row for size in SIZES for row in rows(size, ours[size], peer[size])]


def rows(size: str, ours: list[Run], peer: list[Run]) -> list[Row]:
    def of(runs: list[Run], value: Callable[[Run], float]) -> float:
        return median(value(run) for run in runs)

    rate, first = (lambda run: run.tokens_per_second), (lambda run: run.first_token_s)
    return [
        Row("tokens per second against one by one", size, of(ours, rate), "tokens/s", of(peer, rate)),
        Row("first token", size, of(ours, first), "s", of(peer, first)),
    ]


def question(n: int) -> str:
    """The two sides of a battle get the same question."""
    return QUESTIONS[n // 2 % len(QUESTIONS)]


@dataclass(frozen=True)
class Alone:
    """One completion by `model.generate`."""

    tokens: int
    first_token_s: float
    total_s: float


class FirstToken(BaseStreamer):
    """Notes when the first token after the prompt comes."""

    def __init__(self) -> None:
        self.puts = 0
        self.at = 0.0

    def put(self, value: Any) -> None:
        self.puts += 1
        if self.puts == 2:  # the first is the prompt
            self.at = time.perf_counter()

    def end(self) -> None:
        pass


def generate_alone(loaded: LoadedModel, text: str, new_tokens: int) -> Alone:
    """The prompt through transformers' own loop with its own attention."""
    loaded.model.set_attn_implementation("sdpa")
    chat = [{"role": "user", "content": text}]
    started = time.perf_counter()
    inputs = loaded.tokenizer.apply_chat_template(chat, add_generation_prompt=True, return_tensors="pt")
    inputs = inputs.to(loaded.device)
    streamer = FirstToken()
    with torch.inference_mode():
        out = loaded.model.generate(**inputs, do_sample=False, max_new_tokens=new_tokens, streamer=streamer)
    loaded.tokenizer.decode(out[0], skip_special_tokens=True)
    tokens = out.shape[1] - inputs["input_ids"].shape[1]
    return Alone(tokens, streamer.at - started, time.perf_counter() - started)


def one_by_one(completions: list[Alone], count: int) -> Run:
    """The loop's figures for `count` requests like these that all came at its start."""
    total = sum(completion.total_s for completion in completions)
    waited = (count - 1) / 2 * total / len(completions)
    first = waited + mean(completion.first_token_s for completion in completions)
    return Run(sum(completion.tokens for completion in completions) / total, first)


def in_parallel(backend: TransformersBackend, model: ModelRef, count: int, new_tokens: int) -> Run:
    """The worker's figures for the same requests, all admitted at once."""
    sampling = Sampling(temperature=0.0, max_tokens=new_tokens)
    started = time.perf_counter()
    for n in range(count):
        backend.admit(GenerationRequest(str(n), (ChatMessage("user", question(n)),), sampling, model))
    ends: list[Finished] = []
    while backend.active:
        for event in backend.step(1.0):
            if isinstance(event, Failed):
                raise RuntimeError(event.error.message)
            if isinstance(event, Finished):
                ends.append(event)
    elapsed = time.perf_counter() - started
    tokens = sum(end.completion_tokens or 0 for end in ends)
    return Run(tokens / elapsed, mean(end.first_token_s or elapsed for end in ends))
