"""The worker's own batch against other ways to serve the same model: transformers' `generate` for one prompt after the
other, `generate` with all prompts in one padded batch, and vLLM where it is installed. Same folder, same type, same
prompts, temperature 0, same limit of new tokens.

All requests of a row come at the same moment. One by one, a request's first token comes after all requests before it
were finished; in a padded batch all first tokens come together, and no answer is whole before all are. The loop's speed
does not depend on how many requests follow, so a row takes it from two completions just before and two just after it.

On a GPU the model is a Llama of a thousand million random weights, made on the spot; on a CPU a small one with
`--quick` and the demo's own model without. What cannot run here is a row that says so.
"""

import importlib.util
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import mean, median
from typing import Any

import torch
from transformers.generation.streamers import BaseStreamer

from benchmarks.made_model import made_llama
from benchmarks.rows import Row
from config.launch.folder import data_folder
from inference_workers.engine.model_loading import LoadedModel, load_model, open_device, pick_dtype
from inference_workers.engine.protocol import ChatMessage, Failed, Finished, GenerationRequest, ModelRef, Sampling
from inference_workers.engine.settings import TransformersSettings
from inference_workers.engine.smollm2 import smollm2_folder
from inference_workers.engine.transformers_backend import TransformersBackend

SIZES = (1, 8, 32, 128)
PLACES = {"cpu": "on a CPU", "cuda": "on a GPU"}
PEERS = ("one by one", "one padded batch", "vLLM")
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


Runs = dict[int, list[Run]]


def run(quick: bool) -> list[Row]:
    """A row for each peer, number of requests and place. A full run takes the median of three rounds."""
    new_tokens, rounds = (24, 1) if quick else (64, 3)
    device = open_device(None)
    dtype, folder = pick_dtype(device), data_folder().path / "models"
    real = device.type == "cpu" and not quick
    path = smollm2_folder(folder) if real else made_llama(folder, device=device, dtype=dtype)
    model = ModelRef(str(path))
    sides: dict[str, Runs] = {side: {size: [] for size in SIZES} for side in ("ours", *PEERS)}
    measure_here(sides, model, device, new_tokens, rounds)
    refusal = measure_vllm(sides["vLLM"], str(path), str(dtype).removeprefix("torch."), new_tokens, rounds)
    place = PLACES.get(device.type, f"on {device.type}")
    elsewhere = {"cpu": "no CUDA device here", "cuda": "a GPU is here, and was measured"}
    found = [row for size in SIZES for peer in PEERS for row in rows(size, place, peer, sides, refusal)]
    for name in PLACES.values():
        if name != place:
            why = elsewhere.get(device.type, f"measured {place}")
            found += [row for size in SIZES for peer in PEERS for row in not_run(size, name, peer, why)]
    return found


def measure_here(sides: dict[str, Runs], model: ModelRef, device: torch.device, new_tokens: int, rounds: int) -> None:
    loaded = load_model(model, device=device, dtype=pick_dtype(device), context_limit=4096)
    backend = TransformersBackend(TransformersSettings(capacity=max(SIZES)))
    backend.warm(model, 120.0)
    generate(loaded, [question(0)], 2)
    in_parallel(backend, model, 2, 2)
    for number in range(rounds):
        for size in SIZES:
            alone = [generate(loaded, [question(number + n)], new_tokens) for n in (0, 1)]
            sides["ours"][size].append(in_parallel(backend, model, size, new_tokens))
            alone += [generate(loaded, [question(number + n)], new_tokens) for n in (2, 3)]
            sides["one by one"][size].append(one_by_one(alone, size))
            batch = generate(loaded, [question(n) for n in range(size)], new_tokens)
            sides["one padded batch"][size].append(Run(batch.tokens / batch.total_s, batch.first_token_s))
    backend.close()


def rows(size: int, place: str, peer: str, sides: dict[str, Runs], refusal: str) -> list[Row]:
    theirs, ours = sides[peer][size], sides["ours"][size]
    if not theirs:
        return not_run(size, place, peer, refusal)

    def of(runs: list[Run], value: Callable[[Run], float]) -> float:
        return median(value(run) for run in runs)

    rate, first = (lambda run: run.tokens_per_second), (lambda run: run.first_token_s)
    return [
        Row(f"tokens per second against {peer}", f"{size} {place}", of(ours, rate), "tokens/s", of(theirs, rate)),
        Row(f"first token against {peer}", f"{size} {place}", of(ours, first), "s", of(theirs, first)),
    ]


def not_run(size: int, place: str, peer: str, why: str) -> list[Row]:
    return [
        Row(f"tokens per second against {peer}", f"{size} {place}", None, "tokens/s", not_run=why),
        Row(f"first token against {peer}", f"{size} {place}", None, "s", not_run=why),
    ]


def question(n: int) -> str:
    return QUESTIONS[n % len(QUESTIONS)]


@dataclass(frozen=True)
class Generated:
    """Some completions by one call of `model.generate`."""

    tokens: int
    first_token_s: float
    total_s: float


class FirstToken(BaseStreamer):
    """Notes when the first tokens after the prompts come."""

    def __init__(self) -> None:
        self.puts = 0
        self.at = 0.0

    def put(self, value: Any) -> None:
        self.puts += 1
        if self.puts == 2:  # the first is the prompt
            self.at = time.perf_counter()

    def end(self) -> None:
        pass


def generate(loaded: LoadedModel, texts: Sequence[str], new_tokens: int) -> Generated:
    """The prompts through transformers' own loop with its own attention, padded on the left where there are several."""
    loaded.model.set_attn_implementation("sdpa")
    tokenizer, streamer, started = loaded.tokenizer, FirstToken(), time.perf_counter()
    tokenizer.padding_side = "left"
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    chats = [[{"role": "user", "content": text}] for text in texts]
    prompts = [tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=False) for chat in chats]
    inputs = tokenizer(prompts, add_special_tokens=False, padding=True, return_tensors="pt")
    kept = {name: inputs[name].to(loaded.device) for name in ("input_ids", "attention_mask")}
    with torch.inference_mode():
        out = loaded.model.generate(**kept, do_sample=False, max_new_tokens=new_tokens, streamer=streamer)
    written = out[:, kept["input_ids"].shape[1] :].tolist()
    tokenizer.batch_decode(written, skip_special_tokens=True)
    tokens = sum(_until_end(row, loaded.end_tokens) for row in written)
    return Generated(tokens, streamer.at - started, time.perf_counter() - started)


def _until_end(row: Sequence[int], ends: frozenset[int]) -> int:
    """Tokens of a row before its padding."""
    return next((n + 1 for n, token in enumerate(row) if token in ends), len(row))


def one_by_one(completions: list[Generated], count: int) -> Run:
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


def measure_vllm(runs: Runs, path: str, dtype: str, new_tokens: int, rounds: int) -> str:
    """Fills `runs`, or says why it could not. What vLLM raises depends on the machine: any of it is a reason."""
    if importlib.util.find_spec("vllm") is None:
        return "vLLM is not installed"
    try:
        from vllm import LLM, SamplingParams

        served = LLM(model=path, dtype=dtype, gpu_memory_utilization=0.4, disable_log_stats=False)
        sampling = SamplingParams(temperature=0.0, max_tokens=new_tokens)
        for _ in range(rounds):
            for size in SIZES:
                chats = [[{"role": "user", "content": question(n)}] for n in range(size)]
                started = time.perf_counter()
                ends = served.chat(chats, sampling, use_tqdm=False)
                elapsed = time.perf_counter() - started
                tokens = sum(len(end.outputs[0].token_ids) for end in ends)
                first = mean(end.metrics.first_token_latency for end in ends)
                runs[size].append(Run(tokens / elapsed, first))
    except Exception as error:  # noqa: BLE001
        for kept in runs.values():
            kept.clear()
        return f"vLLM broke: {type(error).__name__}"
    return ""
