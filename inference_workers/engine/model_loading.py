"""Loading a language model from a local folder, and refusing one that the batch could not serve truthfully."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from transformers import AttentionInterface, AutoConfig, AutoModelForCausalLM, AutoTokenizer
from transformers.utils import logging as transformers_logging

from .chat import PromptEncoder
from .memory import is_out_of_memory
from .model_folders import check_folder
from .protocol import ErrorCode, GenerationFailure, ModelRef, failure
from .settings import DeviceUnusable
from .slots import ATTENTION, Piece, SlotTables, StepPlan, UnsupportedAttention, attend

AttentionInterface.register(ATTENTION, attend)
transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]

# Rotary scalings that look at the longest row of a batch and would let one request change its neighbours' answers.
_BATCH_WIDE_SCALING = {"dynamic", "longrope"}
_PROBE_TOKENS = 12
_TOLERANCE = {torch.float32: 1e-3, torch.float16: 3e-2, torch.bfloat16: 1e-1}


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model ready to serve: `end_tokens` end a text, `context` bounds prompt and text together."""

    ref: ModelRef
    model: Any
    tokenizer: Any
    encoder: PromptEncoder
    end_tokens: frozenset[int]
    context: int
    device: torch.device
    weight_bytes: int
    cache_bytes_per_position: int

    def decode(self, tokens: Sequence[int]) -> str:
        """The text of token ids, special tokens left out."""
        return str(self.tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False))

    def forward(self, tokens: list[int], plan: StepPlan, keep: list[int]) -> torch.Tensor:
        """Run the tokens of a plan; logits (len(keep), vocabulary) of those at the places in `keep`."""
        out = self.model(
            input_ids=torch.tensor([tokens], dtype=torch.long, device=self.device),
            position_ids=plan.position_ids,
            plan=plan,
            use_cache=False,
            logits_to_keep=torch.tensor(keep, dtype=torch.long, device=self.device),
        )
        logits: torch.Tensor = out.logits[0]
        return logits


def open_device(name: str | None) -> torch.device:
    """The device of this name, or the first of cuda, mps and cpu that this machine has. Raises DeviceUnusable."""
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    usable = [kind for kind, is_there in there.items() if is_there]
    if not name:
        return torch.device(usable[0])
    try:
        device = torch.device(name)
    except RuntimeError:
        device = None
    known = device is not None and device.type in usable
    if device is None or not known or (device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count()):
        raise DeviceUnusable(f"there is no device {name!r} here; this machine has {', '.join(usable)}")
    return device


def pick_dtype(device: torch.device) -> torch.dtype:
    """The fastest type that keeps a model's answers: bfloat16 where the hardware multiplies it, else float16 on a
    GPU and float32 on a CPU. On 2 cores with AVX-512 BF16, bfloat16 generates 1.9 times as fast as float32."""
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    if device.type == "mps":
        return torch.float16
    able = torch.cpu.get_capabilities()
    return torch.bfloat16 if able.get("avx512_bf16") or able.get("amx_bf16") else torch.float32


def load_model(ref: ModelRef, *, device: torch.device, dtype: torch.dtype, context_limit: int) -> LoadedModel:
    """Load from the folder `ref.path`: safetensors only, no code from the folder, no network. Raises GenerationFailure
    with code model_load, whose message says what is wrong with the folder or the model."""
    folder = Path(ref.path)
    check_folder(folder)
    try:
        return _load(ref, folder, device, dtype, context_limit)
    except GenerationFailure:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            text = f"{folder.name} does not fit into the memory of {device.type}"
            raise failure(ErrorCode.OUT_OF_MEMORY, text, retryable=True) from error
        text = f"{folder.name} could not be loaded: {type(error).__name__}: {error}"
        raise failure(ErrorCode.MODEL_LOAD, text[:500]) from error


@torch.inference_mode()
def _load(ref: ModelRef, folder: Path, device: torch.device, dtype: torch.dtype, context_limit: int) -> LoadedModel:
    local = {"local_files_only": True, "trust_remote_code": False}
    config = AutoConfig.from_pretrained(folder, **local)
    tokenizer = AutoTokenizer.from_pretrained(folder, **local)
    if not tokenizer.chat_template:
        raise failure(ErrorCode.MODEL_LOAD, f"{folder.name} has no chat template")
    model: Any = AutoModelForCausalLM.from_pretrained(
        folder, config=config, dtype=dtype, use_safetensors=True, attn_implementation=ATTENTION, **local
    )
    model = model.to(device).eval()
    loaded = LoadedModel(
        ref=ref,
        model=model,
        tokenizer=tokenizer,
        encoder=PromptEncoder(tokenizer),
        end_tokens=_end_tokens(model, tokenizer),
        context=min(_context(config), context_limit),
        device=device,
        weight_bytes=sum(parameter.nbytes for parameter in model.parameters()),
        cache_bytes_per_position=0,
    )
    return replace(loaded, cache_bytes_per_position=_verify(loaded))


def _end_tokens(model: Any, tokenizer: Any) -> frozenset[int]:
    ends = model.generation_config.eos_token_id
    listed = [] if ends is None else [ends] if isinstance(ends, int) else list(ends)
    if tokenizer.eos_token_id is not None:
        listed.append(tokenizer.eos_token_id)
    return frozenset(listed)


def _context(config: Any) -> int:
    text = config.get_text_config(decoder=True)
    scaling = getattr(text, "rope_parameters", None) or {}
    if scaling.get("rope_type") in _BATCH_WIDE_SCALING:
        return int(scaling.get("original_max_position_embeddings") or text.max_position_embeddings)
    return int(text.max_position_embeddings)


def _verify(loaded: LoadedModel) -> int:
    """Compare the batch's attention with the model's own on a few tokens: a prompt in two pieces, and one token of a
    row beside it. An architecture that keeps other state, or needs another attention, shows here and is refused
    instead of answering nonsense. Returns the bytes that a position of the cache takes."""
    model, name = loaded.model, Path(loaded.ref.path).name
    generator = torch.Generator().manual_seed(0)
    vocabulary = model.get_input_embeddings().num_embeddings
    tokens = torch.randint(vocabulary, (_PROBE_TOKENS,), generator=generator).tolist()
    tables = SlotTables(loaded.device)
    half, last = _PROBE_TOKENS // 2, _PROBE_TOKENS - 1
    try:
        loaded.forward(tokens[:last], StepPlan(tables, [], [Piece(0, 0, last)]), [last - 1])
        beside = StepPlan(tables, [last], [Piece(1, 0, half)])
        decoded = loaded.forward([tokens[last], *tokens[:half]], beside, [0])
        rest = Piece(1, half, _PROBE_TOKENS - half)
        pieced = loaded.forward(tokens[half:], StepPlan(tables, [], [rest]), [rest.count - 1])
    except (UnsupportedAttention, TypeError) as error:
        text = f"{name}: this architecture cannot be batched here; serve it behind an OpenAI-compatible address"
        raise failure(ErrorCode.MODEL_LOAD, text) from error
    model.set_attn_implementation("sdpa" if model._supports_sdpa else "eager")
    own = model(torch.tensor([tokens], device=loaded.device), use_cache=False).logits[0, -1:]
    model.set_attn_implementation(ATTENTION)
    for ours in (decoded, pieced):
        if _distance(ours, own) > _TOLERANCE[model.dtype]:
            raise failure(ErrorCode.MODEL_LOAD, f"{name}: batched answers differ from the model's own; not served")
    return tables.bytes_per_position


def _distance(ours: torch.Tensor, own: torch.Tensor) -> float:
    """Relative difference of logits, which mean the same after adding a constant to all."""
    # Apple's devices know no double precision.
    ours, own = (logits.cpu().double() for logits in (ours, own))
    ours, own = ours - ours.mean(), own - own.mean()
    return float((ours - own).norm() / own.norm())
