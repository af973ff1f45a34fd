"""A model's constants of tags: read from beside its weights, kept by teaching, or refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from cocadesk.errors import UserError
from cocadesk.model.backend import open_backend
from cocadesk.model.checkpoints.checkpoint import open_checkpoint, save_checkpoint
from cocadesk.model.confidence import Confidence
from cocadesk.model.tag_constants import TagConstants
from tests.support.tiny_model import tiny_model, tiny_tokenizer, write_tiny_checkpoint

CAPTIONS = Confidence(bias=-2.0, probability=1.5, cosine=6.0)
FITTED = TagConstants(
    slope=2.5,
    midpoint=3.25,
    threshold=0.5,
    biases={"dog": 0.5, "fog": -0.25},
    captions=CAPTIONS,
)


def test_constants_come_back_from_their_file() -> None:
    """Equal ones give equal bytes, however they were put together."""
    turned = replace(FITTED, biases={"fog": -0.25, "dog": 0.5})
    assert TagConstants.from_json(FITTED.to_json()) == FITTED
    assert turned.to_json() == FITTED.to_json()


def test_a_file_may_name_few_constants_and_hold_notes() -> None:
    """What it does not name is as it is for a model without the file."""
    found = TagConstants.from_json(b'{"threshold": 0.5, "measured": "by hand"}')
    assert found == TagConstants(threshold=0.5)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"{", "double quotes"),
        (b"3", "iterable"),
        (b'{"slope": "steep"}', "number, not str"),
        (b'{"slope": 0}', "slope"),
        (b'{"midpoint": NaN}', "midpoint"),
        (b'{"threshold": 40}', "between 0 and 1"),
        (b'{"biases": {"dog": null}}', "number, not NoneType"),
        (b'{"biases": ["dog"]}', "values"),
        (b'{"captions": {"bias": NaN}}', "of captions"),
        (b'{"captions": {"weight": 1}}', "weight"),
        (b'{"captions": 3}', "mapping"),
        (b"\xff", "decode"),
    ],
)
def test_impossible_constants_are_refused_with_the_reason(text: bytes, why: str) -> None:
    """In one sentence that says what to do."""
    with pytest.raises(UserError, match=f"(?i){why}") as caught:
        TagConstants.from_json(text)
    assert "tagging.json" in caught.value.what_to_do


def test_a_model_without_the_file_has_the_default_constants(tmp_path: Path) -> None:
    """Any model that was written before there were such files."""
    folder = write_tiny_checkpoint(tmp_path / "model")
    assert not (folder / "tagging.json").exists()
    with open_backend(str(folder), "cpu") as backend:
        assert backend.info().tagging == TagConstants()


def test_a_models_door_tells_the_constants_beside_its_weights(tmp_path: Path) -> None:
    """The ids stay: they name the weights."""
    folder = write_tiny_checkpoint(tmp_path / "model")
    before = open_checkpoint(folder).ids()
    (folder / "tagging.json").write_bytes(FITTED.to_json())
    with open_backend(str(folder), "cpu") as backend:
        assert backend.info().tagging == FITTED
        assert backend.info().model_id == before.model_id


def test_a_damaged_file_of_constants_keeps_the_model_from_opening(tmp_path: Path) -> None:
    """Tags by other constants than the model's would be wrong and nobody would know."""
    folder = write_tiny_checkpoint(tmp_path / "model")
    (folder / "tagging.json").write_bytes(FITTED.to_json()[:20])
    with pytest.raises(UserError, match="constants of tags"):
        open_checkpoint(folder)
    (folder / "tagging.json").unlink()
    (folder / "tagging.json").mkdir()
    with pytest.raises(UserError, match="cannot be read"):
        open_checkpoint(folder)


def test_constants_are_written_with_a_model_unless_they_are_the_default(tmp_path: Path) -> None:
    """A taught model has those of the one that it was taught from."""
    for name, constants in (("fitted", FITTED), ("plain", TagConstants())):
        save_checkpoint(tmp_path / name, tiny_model(), tiny_tokenizer(), "card", tagging=constants)
        assert open_checkpoint(tmp_path / name).tagging == constants
    assert not (tmp_path / "plain" / "tagging.json").exists()
