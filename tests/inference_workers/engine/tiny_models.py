"""Real transformers models of 0.3 million parameters, made in a tenth of a second. Random weights, so they babble, but
two seeds babble differently, and the whole path from prompt to text is the one of a large model."""

from pathlib import Path

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    BloomConfig,
    GenerationConfig,
    LlamaConfig,
    MistralConfig,
    PreTrainedTokenizerFast,
    Qwen3Config,
)
from transformers.models.bloom.modeling_bloom import BloomForCausalLM
from transformers.models.llama.modeling_llama import LlamaForCausalLM
from transformers.models.mistral.modeling_mistral import MistralForCausalLM
from transformers.models.qwen3.modeling_qwen3 import Qwen3ForCausalLM

CONTEXT = 512
SPECIAL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
NO_SYSTEM_ROLE = "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}" + CHATML
_TEXT = [
    "The quick brown fox jumps over the lazy dog while the band plays on and on in the rain.",
    "A question is asked, an answer is given, and somebody says which of the two answers was better, and by how much.",
]
_SHAPE = {
    "hidden_size": 96,
    "intermediate_size": 256,
    "num_hidden_layers": 3,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "max_position_embeddings": CONTEXT,
    "initializer_range": 0.3,
    "tie_word_embeddings": False,
}


def tiny_tokenizer(chat_template: str | None = CHATML) -> PreTrainedTokenizerFast:
    """Byte-level BPE of 512 tokens, the special ones first."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = [AddedToken(text, special=True) for text in SPECIAL]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=512, special_tokens=special, initial_alphabet=alphabet)
    tokenizer.train_from_iterator(_TEXT, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        chat_template=chat_template,
        eos_token="<|im_end|>",
        bos_token="<|im_start|>",
        pad_token="<|im_end|>",
        clean_up_tokenization_spaces=False,
    )


def save_tiny_model(
    folder: Path, *, seed: int = 0, architecture: str = "llama", chat_template: str | None = CHATML
) -> Path:
    """Write a tiny model of this seed and architecture (llama, mistral with a short sliding window, qwen3, bloom)."""
    tokenizer = tiny_tokenizer(chat_template)
    torch.manual_seed(seed)
    model = _model(architecture, len(tokenizer))
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.normal_(0.0, _SHAPE["initializer_range"])
        model.lm_head.weight[: len(SPECIAL)] = 0.0  # a text that ends at its first token shows nothing
    model.generation_config = GenerationConfig(eos_token_id=[0, 2], pad_token_id=2)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _model(architecture: str, vocabulary: int):
    if architecture == "llama":
        return LlamaForCausalLM(LlamaConfig(vocab_size=vocabulary, **_SHAPE))
    if architecture == "mistral":
        return MistralForCausalLM(MistralConfig(vocab_size=vocabulary, sliding_window=24, head_dim=16, **_SHAPE))
    if architecture == "qwen3":
        return Qwen3ForCausalLM(Qwen3Config(vocab_size=vocabulary, head_dim=16, **_SHAPE))
    return BloomForCausalLM(BloomConfig(vocab_size=vocabulary, hidden_size=96, n_layer=2, n_head=6))
