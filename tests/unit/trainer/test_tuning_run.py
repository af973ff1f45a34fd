"""Whole teaching runs with a tiny model: results, resuming, bad input."""

from __future__ import annotations

import base64
import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from cocadesk.errors import UserError
from cocadesk.model.backend import open_backend
from cocadesk.model.checkpoints.checkpoint import WEIGHTS
from cocadesk.model.checkpoints.weight_files import map_safetensors
from cocadesk.model.source import find_checkpoint
from tests.support.released_model import write_released
from tests.support.tiny_model import write_tiny_checkpoint
from tests.support.tuning_photos import (
    GENERAL,
    SHORT,
    STEPS,
    Listener,
    points_of,
    run_teaching,
    short_recipe,
    write_run,
)
from trainer import checkpoint
from trainer.tuning.learner import Learner
from trainer.tuning.new_words import NewWords
from trainer.tuning.phase import Pace, StoppedError, phases_of
from trainer.tuning.preview import inspect
from trainer.tuning.progress_lines import ProgressLines
from trainer.tuning.recipe import Recipe
from trainer.tuning.run import RunOptions
from trainer.tuning.split import split_photos

_FIGURES = ["t2i_r1", "t2i_r5", "t2i_r10", "i2t_r1", "i2t_r5", "i2t_r10", "cider_d"]


_SAVING = replace(SHORT, pace=Pace(checkpoint_s=0.0, point_every=2))
"""The same with a checkpoint after each step."""


def _teach(
    folder: Path, listener: Listener | None = None, options: RunOptions = SHORT
) -> dict[str, Any]:
    return run_teaching(folder, listener, options)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Finished:
    """An unbroken run over twelve photos: its folder, what it said, its result."""

    folder: Path
    heard: Listener
    result: dict[str, Any]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> _Finished:
    """To be read only."""
    folder, heard = write_run(tmp_path_factory.mktemp("finished") / "run"), Listener()
    return _Finished(folder=folder, heard=heard, result=_teach(folder, heard))


def _weights(folder: Path) -> dict[str, np.ndarray]:
    return map_safetensors(folder / "checkpoints" / "best" / WEIGHTS)


def test_a_trial_run_measures_and_then_learns_from_all(finished: _Finished) -> None:
    """Twelve photos: three held out, figures with n and interval, stored vectors stay valid."""
    run, heard, result = finished.folder, finished.heard, finished.result
    assert json.loads((run / "result.json").read_text()) == result
    assert (result["photos"], result["captions"], result["held_out"]) == (12, 24, 3)
    assert result["is_trial"]
    assert result["steps"] == 2 * STEPS
    for name, n in (
        ("before", 3),
        ("after", 3),
        ("general_before", GENERAL),
        ("general_after", GENERAL),
    ):
        assert [figure["name"] for figure in result[name]] == _FIGURES
        assert {figure["n"] for figure in result[name][:6]} == {n}
        assert all(f["low"] <= f["value"] <= f["high"] for f in result[name])
    old, new = find_checkpoint(str(run.parent / "tiny")), find_checkpoint(str(run))
    assert result["image_id"] == new.ids().image_id == old.ids().image_id
    assert result["model_id"] == new.ids().model_id != old.ids().model_id
    assert not result["reembed"]
    assert points_of(run) == heard.points
    assert [point["step"] for point in heard.points][-1] == 2 * STEPS
    assert [p["step"] for p in heard.points if "own" in p] == [3, 6]
    assert {line["stage"] for line in heard.lines if "stage" in line} == {
        "look",
        "features",
        "trial",
        "train",
        "measure",
        "save",
    }
    card = (run / "checkpoints" / "best" / "README.md").read_text()
    assert "12 photos with 24 human captions" in card
    assert _teach(run) == result  # a finished run is finished


def test_an_interrupted_run_ends_as_an_unbroken_one_to_the_bit(
    finished: _Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stopped in the trial, killed in the kept run, the photos gone: the same weights."""
    broken = write_run(tmp_path / "broken")
    with pytest.raises(StoppedError):
        _teach(broken, Listener(stop_after=1), _SAVING)
    assert json.loads((broken / "state" / "state.json").read_text())["step"] == 2
    shutil.rmtree(broken / "photos")

    class KilledError(BaseException):
        pass

    plain = Learner.advance

    def dying(self: Learner) -> dict[str, float]:
        if (
            self.state.step == 4
            and (broken / "state" / "state.json").read_text().find('"phase": 1') > 0
        ):
            raise KilledError
        return plain(self)

    monkeypatch.setattr(Learner, "advance", dying)
    with pytest.raises(KilledError):
        _teach(broken, options=_SAVING)
    monkeypatch.setattr(Learner, "advance", plain)
    _teach(broken)
    first, second = _weights(finished.folder), _weights(broken)
    assert all((first[name] == second[name]).all() for name in first)
    assert points_of(broken) == points_of(finished.folder)


def test_an_interrupted_lesson_does_not_go_on_with_another_model(tmp_path: Path) -> None:
    """Its features are of the one that was there before an update: a sentence, and begin anew."""
    run = write_run(tmp_path / "run", photos=4)
    with pytest.raises(StoppedError):
        _teach(run, Listener(stop_after=1))
    before = find_checkpoint(str(tmp_path / "tiny")).ids().model_id
    write_tiny_checkpoint(tmp_path / "tiny", seed=2)
    with pytest.raises(UserError, match="model has changed") as told:
        _teach(run)
    assert before in told.value.why
    assert "Teach again" in told.value.what_to_do
    assert not (run / "checkpoints").exists()
    again = write_run(tmp_path / "again", photos=4)
    assert _teach(again)["photos"] == 4


def test_head_changes_only_the_text_side_and_runs_each_half_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The image side is locked to the bit; a step is one pass over the pairs."""
    run = write_run(tmp_path / "run", photos=4)
    calls: list[str] = []
    plain = Learner.advance

    def counting(self: Learner) -> dict[str, float]:
        hooks = [
            getattr(self.state.model, name).register_forward_hook(
                lambda *_, n=name: calls.append(n)
            )
            for name in ("unimodal", "multimodal", "image_encoder", "generative_pooler")
        ]
        result = plain(self)
        for hook in hooks:
            hook.remove()
        return result

    monkeypatch.setattr(Learner, "advance", counting)
    _teach(run)
    # Once over the lesson's pairs, once over what is to be kept.
    assert calls[:4] == ["unimodal", "multimodal"] * 2
    assert set(calls) == {"unimodal", "multimodal"}
    assert len(calls) == 4 * 2 * STEPS
    old, new = map_safetensors(tmp_path / "tiny" / WEIGHTS), _weights(run)
    changed = {name.split(".")[0] for name in old if (old[name] != new[name]).any()}
    assert changed == {"unimodal", "multimodal", "text_norm", "text_projection"}


def test_deeper_teaches_the_poolers_and_asks_for_new_vectors(tmp_path: Path) -> None:
    """Another image id, the encoder as it was; and what was taught can be taught again."""
    run = write_run(tmp_path / "run", photos=6, method="deeper")
    result = _teach(run)
    assert result["reembed"]
    assert result["image_id"] != find_checkpoint(str(tmp_path / "tiny")).ids().image_id
    old, new = map_safetensors(tmp_path / "tiny" / WEIGHTS), _weights(run)
    changed = {name.split(".")[0] for name in old if (old[name] != new[name]).any()}
    assert {"generative_pooler", "contrastive_pooler", "image_projection"} <= changed
    assert "image_encoder" not in changed
    again = write_run(tmp_path / "again", photos=3, model=str(run))
    assert _teach(again)["image_id"] == result["image_id"]
    with open_backend(str(again)) as backend:
        assert backend.embed_texts(["a florbit"]).shape == (1, 32)


def test_teaching_makes_the_captions_likelier(tmp_path: Path) -> None:
    """The captions' loss falls (a network of random weights sees little in pictures)."""

    def stronger(recipe: Recipe) -> Recipe:
        return replace(short_recipe(recipe), steps=25, learning_rate=5e-3, distillation=1.0)

    run = write_run(tmp_path / "run", photos=4)
    _teach(run, options=replace(SHORT, recipe=stronger))
    points = points_of(run)
    assert points[-1]["caption"] < 0.7 * points[0]["caption"]


def test_photos_that_vanish_or_break_are_left_out_and_the_rest_learns(tmp_path: Path) -> None:
    """A resumed look finds them gone; the reasons come with the result."""
    run = write_run(tmp_path / "run")
    heard = Listener()
    heard.stop.set()
    with pytest.raises(StoppedError):
        _teach(run, heard)
    photos = sorted((run / "photos").glob("*.jpg"))
    photos[8].unlink()
    photos[9].write_bytes(photos[9].read_bytes()[:60])
    photos[10].write_bytes(b"\x00" * 1000)
    result = _teach(run)
    assert result["photos"] == 9
    skipped = result["skipped"].values()
    assert sum(files["count"] for files in skipped) == 3
    named = {base64.b64decode(path) for files in skipped for path in files["examples"]}
    assert named == {os.fsencode(photo) for photo in photos[8:11]}


def test_one_photo_and_no_photo_give_a_sentence(tmp_path: Path) -> None:
    """Also where the others turn out to be unreadable; nothing is left behind."""
    for count, says in ((0, "nothing to learn"), (1, "One photo is too few")):
        run = write_run(tmp_path / f"run{count}", photos=count)
        with pytest.raises(UserError, match=says):
            _teach(run)
    run = write_run(tmp_path / "broken", photos=3)
    for path in sorted((run / "photos").glob("*.jpg"))[1:]:
        path.write_bytes(b"no photo")
    with pytest.raises(UserError, match=r"One photo is too few.*Skipped: 2 ×"):
        _teach(run)
    assert not (run / "result.json").exists()


def test_a_full_disk_gives_a_sentence_and_the_last_checkpoint_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once there is room again the run goes on from there."""
    run = write_run(tmp_path / "run", photos=4)
    plain, saves = checkpoint.write_folder, 0

    def filling(folder: Path, files: list[tuple[str, bytes]]) -> None:
        nonlocal saves
        saves += 1
        if saves > 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        plain(folder, files)

    monkeypatch.setattr(checkpoint, "write_folder", filling)
    with pytest.raises(UserError, match="disk is full"):
        _teach(run, options=_SAVING)
    assert json.loads((run / "state" / "state.json").read_text())["step"] == 3
    monkeypatch.setattr(checkpoint, "write_folder", plain)
    assert _teach(run)["steps"] == 2 * STEPS


def test_a_lesson_that_diverges_stops_and_keeps_its_last_good_state(tmp_path: Path) -> None:
    """The same again says the same: no state of NaN was saved to go on from."""
    run = write_run(tmp_path / "run", photos=4)

    def diverging(recipe: Recipe) -> Recipe:
        return replace(short_recipe(recipe), steps=30, learning_rate=1e20)

    for _ in range(2):
        with pytest.raises(UserError, match="diverged") as told:
            _teach(run, options=replace(_SAVING, recipe=diverging))
        assert "The model in use is unchanged." in told.value.why
    saved = load_file(run / "state" / "state.safetensors") if (run / "state").exists() else {}
    assert all(np.isfinite(weight).all() for weight in saved.values())
    assert not (run / "result.json").exists()


def test_a_damaged_state_gives_a_sentence(tmp_path: Path) -> None:
    """With the way out."""
    run = write_run(tmp_path / "run", photos=4)
    with pytest.raises(StoppedError):
        _teach(run, Listener(stop_after=1))
    weights = run / "state" / "state.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(UserError, match="start again from the beginning"):
        _teach(run)


def test_inspect_counts_first_and_measures_then(tmp_path: Path) -> None:
    """Two findings: one at once, one with seconds; re-embedding is costed for deeper."""
    run = write_run(tmp_path / "run", method="deeper", library_media=1000)
    (run / "photos" / "lesson-03.txt").unlink()
    heard = Listener()
    inspect(run, ProgressLines(heard), heard.stop, SHORT)
    first, second = (line["found"] for line in heard.lines if "found" in line)
    assert (first["photos"], first["captions"], first["held_out"]) == (11, 22, 3)
    assert first["is_trial"]
    assert first["seconds"] is None
    assert len(first["samples"]) == 6
    assert [files["count"] for files in first["skipped"].values()] == [1]
    assert second["seconds"] > 0
    assert second["reembed_seconds"] > 0
    assert {**second, "seconds": None, "reembed_seconds": 0.0} == first


def test_inspect_says_why_nothing_can_be_learned(tmp_path: Path) -> None:
    """One photo, or none of them readable: a problem, not a crash."""
    run = write_run(tmp_path / "run", photos=1)
    heard = Listener()
    assert "One photo" in inspect(run, ProgressLines(heard), heard.stop, SHORT).problem
    other = write_run(tmp_path / "other", photos=3)
    for path in (other / "photos").glob("*.jpg"):
        path.write_bytes(b"no photo")
    assert "could be read" in inspect(other, ProgressLines(heard), heard.stop, SHORT).problem


def test_many_photos_are_learned_once_and_the_best_step_is_taken(tmp_path: Path) -> None:
    """Twenty photos: no trial; what is held out is never learned."""
    split = split_photos([("a florbit",)] * 20, NewWords(words=frozenset({"florbit"})), 1)
    (only,) = phases_of(split, 100)
    assert only.chooses
    assert not set(only.photos) & set(split.held_out)
    assert len(only.photos) == 16


@pytest.mark.parametrize("ending", ["SIGTERM", "stdin"])
def test_the_program_ends_when_asked_and_when_its_engine_is_gone(
    tmp_path: Path, ending: str
) -> None:
    """A signal, or a broken pipe: exit code 75, and lines of JSON until then."""
    run = write_run(tmp_path / "run", photos=4)
    command = [sys.executable, "-P", "-m", "trainer", "teach", str(run), "--json-lines"]
    child = subprocess.Popen(
        [*command, "--end-with-stdin"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).resolve().parents[3],
    )
    assert child.stdin is not None
    assert child.stdout is not None
    lines = []
    for line in child.stdout:
        lines.append(json.loads(line))
        if lines[-1].get("stage") == "features":
            if ending == "SIGTERM":
                child.send_signal(signal.SIGTERM)
            else:
                child.stdin.close()
            break
    lines += map(json.loads, child.stdout)
    child.stdout.close()
    if ending == "SIGTERM":
        child.stdin.close()
    assert child.wait() == 75
    assert lines[0]["stage"] == "look"
    assert not (run / "result.json").exists()


def test_a_checkpoint_of_open_clips_kind_can_be_taught(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One shared pooler, [CLS] as released, CLIP's tokenizer: its vectors stay valid too."""
    monkeypatch.setenv("COCADESK_CACHE", str(tmp_path / "cache"))
    released = write_released(tmp_path / "released.safetensors")
    run = write_run(tmp_path / "run", photos=3, model=str(released))
    result = _teach(run)
    with open_backend(str(released)) as before, open_backend(str(run)) as after:
        assert before.info().image_id == after.info().image_id == result["image_id"]
        texts = ["a florbit"]
        assert not np.allclose(before.embed_texts(texts), after.embed_texts(texts), atol=1e-5)
