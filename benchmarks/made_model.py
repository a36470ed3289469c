"""A Llama with random weights, built on the spot: what it says is babble, what it costs is what any Llama of its shape
costs, and nothing has to be fetched."""

from __future__ import annotations

from pathlib import Path

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from transformers import GenerationConfig, LlamaConfig, PreTrainedTokenizerFast
from transformers.models.llama.modeling_llama import LlamaForCausalLM

TEMPLATE = "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}<|end|>{% endfor %}<|answer|>"
# Of a thousand million parameters for a GPU, and of eleven million for a CPU.
LARGE = {
    "vocab_size": 128_256,
    "hidden_size": 2048,
    "intermediate_size": 8192,
    "num_hidden_layers": 16,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
}
SMALL = {
    "vocab_size": 8192,
    "hidden_size": 384,
    "intermediate_size": 1024,
    "num_hidden_layers": 6,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
}


def made_llama(folder: Path, *, device: torch.device, dtype: torch.dtype) -> Path:
    """The large one for a GPU, the small one for a CPU, written once into a folder below `folder`."""
    shape = SMALL if device.type == "cpu" else LARGE
    made = folder / f"made-llama-{shape['hidden_size']}-{str(dtype).removeprefix('torch.')}"
    if (made / "tokenizer.json").exists():
        return made
    torch.manual_seed(0)
    config = LlamaConfig(**shape, max_position_embeddings=4096, tie_word_embeddings=True, dtype=dtype)
    with device:
        model = LlamaForCausalLM(config).to(dtype)
    model.generation_config = GenerationConfig(eos_token_id=0, pad_token_id=0)
    model.save_pretrained(made)
    byte_tokenizer().save_pretrained(made)
    return made


def byte_tokenizer() -> PreTrainedTokenizerFast:
    """A token for every byte; none is trained, so that it is the same everywhere."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({character: n + 1 for n, character in enumerate(alphabet)} | {"<|end|>": 0}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken("<|end|>", special=True)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, chat_template=TEMPLATE, eos_token="<|end|>", pad_token="<|end|>"
    )
