"""A random BERT of a few thousand weights in a package, and a WordNet of a few lines."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import torch
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
WORDS = [
    *("red", "green", "blue", "white", "black", "yellow", "picture", "number", "something"),
    *("a", "an", "the", "photo", "of", "dog", "cat", "animal", "short", "sentence", "description"),
]


def bert_weights(
    width: int, layers: int, vocabulary: int, seed: int = 0
) -> dict[str, torch.Tensor]:
    """Random weights under BERT's names; the MLP is twice as wide."""
    generator = torch.Generator().manual_seed(seed)

    def drawn(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator) * 0.3

    def norm(name: str) -> dict[str, torch.Tensor]:
        return {f"{name}.weight": 1 + drawn(width) / 3, f"{name}.bias": drawn(width) / 3}

    def linear(name: str, inputs: int, outputs: int) -> dict[str, torch.Tensor]:
        return {f"{name}.weight": drawn(outputs, inputs), f"{name}.bias": drawn(outputs)}

    found = {
        "embeddings.word_embeddings.weight": drawn(vocabulary, width),
        "embeddings.position_embeddings.weight": drawn(80, width),
        "embeddings.token_type_embeddings.weight": drawn(2, width),
        **norm("embeddings.LayerNorm"),
    }
    for index in range(layers):
        own = f"encoder.layer.{index}"
        for name in ("self.query", "self.key", "self.value", "output.dense"):
            found |= linear(f"{own}.attention.{name}", width, width)
        found |= norm(f"{own}.attention.output.LayerNorm")
        found |= linear(f"{own}.intermediate.dense", width, 2 * width)
        found |= linear(f"{own}.output.dense", 2 * width, width)
        found |= norm(f"{own}.output.LayerNorm")
    return found


def bert_tokenizer() -> Tokenizer:
    """WordPiece over a few words and all letters, with BERT's markers; some pieces are unused."""
    markers = ["[PAD]", "[unused0]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces = [*markers, *WORDS, "+", "<", ">", *_LETTERS, *(f"##{letter}" for letter in _LETTERS)]
    ids = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(
        ("[SEP]", ids["[SEP]"]), ("[CLS]", ids["[CLS]"])
    )
    return tokenizer


def write_sentence_model(folder: Path, *, width: int = 32, layers: int = 3) -> Path:
    """Weights, config and tokenizer, as a sentence model's folder has them."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = bert_tokenizer()
    save_file(bert_weights(width, layers, tokenizer.get_vocab_size()), folder / "model.safetensors")
    config = {"num_attention_heads": 2, "layer_norm_eps": 1e-12}
    (folder / "config.json").write_text(json.dumps(config))
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def write_package(site: Path, name: str) -> None:
    """An importable package that carries such a model; ``site`` belongs on the path."""
    write_sentence_model(site / name / "model")
    (site / name / "__init__.py").write_text("")


def synset_line(
    offset: str, words: Iterable[str], gloss: str, *above: str, file: int = 5, kind: str = "n"
) -> str:
    """A line of WordNet's data files; ``above`` are offsets of broader meanings."""
    words = list(words)
    pointers = " ".join(f"@ {other} {kind} 0000" for other in above)
    listed = " ".join(f"{word} 0" for word in words)
    head = f"{offset} {file:02d} {kind} {len(words):02x} {listed} {len(above):03d} {pointers}"
    return f"{head.rstrip()} | {gloss}  "


def index_line(lemma: str, *offsets: str) -> str:
    """A line of WordNet's index of nouns."""
    count = len(offsets)
    return f"{lemma} n {count} 2 @ ~ {count} 0 {' '.join(offsets)}  "


def write_wordnet(
    folder: Path, nouns: Iterable[str], index: Iterable[str], verbs: Iterable[str] = ()
) -> Path:
    """The files of WordNet with these lines after a licence."""
    folder.mkdir(parents=True, exist_ok=True)
    licence = "  1 This software and database is being provided to you  \n"
    for name, lines in (
        ("data.noun", nouns),
        ("data.verb", verbs),
        ("data.adj", ()),
        ("index.noun", index),
    ):
        (folder / name).write_text(licence + "".join(f"{line}\n" for line in lines), "utf-8")
    return folder
