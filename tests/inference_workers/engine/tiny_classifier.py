"""A transformers model of a few thousand parameters that is trained on the spot to find one word in a text."""

from collections.abc import Sequence
from pathlib import Path

import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import DistilBertConfig, PreTrainedTokenizerFast
from transformers.models.distilbert.modeling_distilbert import DistilBertForSequenceClassification

WORD = "bandersnatch"
PLAIN = ("the", "small", "light", "of", "a", "sky", "why", "is", "it", "blue", "and", "said", "code", "please")
SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]")
CONTEXT = 32


def save_tiny_classifier(
    folder: Path, *, labels: Sequence[str] = ("harmless", "violence"), word: str = WORD, several: bool = False
) -> Path:
    """Texts with the word are of the second class, all others of the first; with `several` each class by itself."""
    vocabulary = {each: number for number, each in enumerate(dict.fromkeys((*SPECIAL, word, *PLAIN)))}
    tokenizer = _tokenizer(vocabulary)
    torch.manual_seed(0)
    config = DistilBertConfig(
        vocab_size=len(vocabulary),
        max_position_embeddings=CONTEXT,
        dim=32,
        initializer_range=0.2,
        hidden_dim=64,
        n_layers=1,
        n_heads=2,
        dropout=0.0,
        attention_dropout=0.0,
        seq_classif_dropout=0.0,
        id2label=dict(enumerate(labels)),
        label2id={label: number for number, label in enumerate(labels)},
        problem_type="multi_label_classification" if several else "single_label_classification",
    )
    model = DistilBertForSequenceClassification(config)
    _train(model, vocabulary[word], len(vocabulary), several=several)
    model.eval().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _tokenizer(vocabulary: dict[str, int]) -> PreTrainedTokenizerFast:
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    ends = [(name, vocabulary[name]) for name in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=ends)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    )


def _train(model: DistilBertForSequenceClassification, word: int, vocabulary: int, *, several: bool) -> None:
    optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
    for step in range(80):
        texts = torch.randint(len(SPECIAL) + 1, vocabulary, (64, 3 + step % 28))
        texts[torch.rand(texts.shape) < 0.2] = 1
        texts[:32, 1 + step % (texts.shape[1] - 2)] = word
        texts[:, 0], texts[:, -1] = 2, 3
        found = (texts == word).any(1).long()
        wanted = torch.nn.functional.one_hot(found, 2).float() if several else found
        loss = model(input_ids=texts, labels=wanted).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
