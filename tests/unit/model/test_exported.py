"""A CoCa that was taught goes back to open_clip, which answers with it as we do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cocadesk.errors import UserError
from cocadesk.model.checkpoints.exported import export_open_clip
from cocadesk.model.source import find_checkpoint
from tests.bench.parity import compare, different_ids
from tests.support.open_clip_reference import Answers, run_reference
from tests.support.tuning_photos import SHORT, run_teaching, write_run
from trainer.tuning.dataset import GeneralSet, load_general
from trainer.tuning.methods import METHODS
from trainer.tuning.recipe import Recipe

MOST = 1e-5


def _small(recipe: Recipe) -> Recipe:
    return replace(
        SHORT.recipe(recipe), steps=3, batch=4, sentences=4, synthetic=2, synthetic_pool=3
    )


def _tiny_general() -> GeneralSet:
    whole = load_general()
    return GeneralSet(photos=whole.photos[:2], sentences=whole.sentences[:600:30])


LESSON = replace(SHORT, general=_tiny_general, recipe=_small)
"""CLIP's 49,408 words make each step of the smallest network dear."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where open_clip's tiny CoCa lies; it is converted once, into a cache of this module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COCADESK_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield tmp_path_factory.mktemp("open_clip")


@pytest.fixture(scope="module")
def answers(folder: Path) -> Answers:
    """What open_clip answered with it before it was taught."""
    return run_reference(folder, "tiny", 3)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", list(METHODS))
def test_a_taught_checkpoint_answers_in_open_clip_as_here(
    tmp_path: Path, folder: Path, answers: Answers, name: str
) -> None:
    """A real short lesson; then pictures, decoder tokens, texts and logits are the same there.

    And what is exported is read here again.
    """
    run = write_run(tmp_path / "run", photos=3, method=name, model=str(folder))
    result = run_teaching(run, options=LESSON)
    taught = find_checkpoint(str(run))
    written = export_open_clip(taught, tmp_path / "exported")
    theirs = run_reference(tmp_path / "asked", f"local-dir:{written}", 3)
    found = compare(taught, theirs, "cpu")
    assert max(found.values()) <= MOST, found
    assert different_ids(taught, theirs) == 0
    assert theirs.size_px == taught.config.image.size_px

    assert taught.ids().model_id == result["model_id"]
    np.testing.assert_array_equal(theirs.images_BHWC, answers.images_BHWC)
    moved = {
        "texts": np.abs(theirs.text_BE - answers.text_BE).max(),
        "logits": np.abs(theirs.logits_BTV - answers.logits_BTV).max(),
        "images": np.abs(theirs.image_BE - answers.image_BE).max(),
    }
    has_learned = {part for part, most in moved.items() if most > 10 * MOST}
    still = {"images"} if METHODS[name].keeps_vectors else set()
    assert has_learned == moved.keys() - still, moved
    again = find_checkpoint(f"local-dir:{written}")
    assert (again.ids(), again.config) == (taught.ids(), taught.config)


def test_the_starter_is_no_model_of_open_clips(tmp_path: Path) -> None:
    """It says what can be exported; nothing is left behind."""
    with pytest.raises(UserError, match="not built like open_clip's CoCa"):
        export_open_clip(find_checkpoint("starter"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_something_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: Path, answers: Answers
) -> None:
    """Nothing of a person's is written over."""
    monkeypatch.setenv("COCADESK_CACHE", str(tmp_path / "cache"))
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match="there already"):
        export_open_clip(find_checkpoint(str(folder)), out)
    assert [path.name for path in out.iterdir()] == ["mine.txt"]
