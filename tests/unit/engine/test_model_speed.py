"""How fast a model is on this machine: measured apart, kept, given up."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cocadesk.engine import model_speed
from cocadesk.engine.model_speed import ModelSpeeds
from cocadesk.errors import UserError
from cocadesk.model.checkpoints.checkpoint import save_checkpoint
from cocadesk.model.speed import image_side, measure_key, released_sizes
from cocadesk.protocol.calls import CallCancelledError
from tests.support.tiny_model import tiny_model, tiny_tokenizer

GOOD = "open_clip:coca_ViT-B-32/laion2b_s13b_b90k"
SAME = "hf-hub:laion/CoCa-ViT-B-32-laion2B-s13B-b90k"
BEST = "open_clip:coca_ViT-L-14/mscoco_finetuned_laion2b_s13b_b90k"


#: As ``COMMAND``, without the low priority that takes minutes beside other tests.
AT_ONCE = (sys.executable, "-P", "-m", "cocadesk.model.speed")


def _says(text: str) -> tuple[str, ...]:
    """A process that prints this in the measure's place."""
    return (sys.executable, "-c", f"print({text!r})")


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_speed, "_is_loaded", lambda: False)


def test_a_released_model_is_known_by_its_sizes_under_any_name() -> None:
    """One measure serves every source of an architecture, and no other model."""
    assert measure_key(GOOD) == measure_key(SAME)
    assert measure_key(GOOD) != measure_key(BEST)
    assert released_sizes("hf-hub:somebody/coca") is None
    assert released_sizes("starter") is None


def test_the_network_that_is_measured_has_the_true_sizes() -> None:
    """Its image side alone: hardly any weights of texts, one layer as of the released model."""
    known = released_sizes(GOOD)
    assert known is not None
    network = image_side(known[1], layers=1)
    layer = sum(weight.numel() for weight in network.image_encoder.layers[0].parameters())
    assert layer == 7_087_872  # ViT-B: 12 width² and its biases and norms
    text = sum(weight.numel() for weight in network.unimodal.parameters())
    assert text < 100_000


def test_a_measure_is_kept_for_the_next_engine(tmp_path: Path) -> None:
    """By machine and runtimes; other models stay unknown."""
    kept = tmp_path / "speeds.json"
    speeds = ModelSpeeds(kept, _says("12.5"))
    assert speeds.known(GOOD) is None
    assert speeds.measure(GOOD) == 12.5
    again = ModelSpeeds(kept, _says("nothing"))
    assert again.known(SAME) == 12.5
    assert again.known(BEST) is None


def test_what_was_measured_beside_other_work_is_forgotten_with_the_engine(tmp_path: Path) -> None:
    """It counts for now, since nothing better is known."""
    kept = tmp_path / "speeds.json"
    speeds = ModelSpeeds(kept, _says("3"))
    speeds.measure(GOOD, is_busy=True)
    assert speeds.known(GOOD) == 3
    assert ModelSpeeds(kept).known(GOOD) is None


@pytest.mark.parametrize("text", ["no number", "", "{}"])
def test_a_measure_that_fails_is_told_in_a_sentence(tmp_path: Path, text: str) -> None:
    """Nothing is kept."""
    speeds = ModelSpeeds(tmp_path / "speeds.json", _says(text))
    with pytest.raises(UserError, match="could not be measured"):
        speeds.measure(GOOD)
    assert speeds.known(GOOD) is None


@pytest.mark.parametrize("text", ["", "[]", '{"a": "b"}', "\x00"])
def test_a_damaged_file_of_measures_counts_as_none(tmp_path: Path, text: str) -> None:
    """And is written anew."""
    kept = tmp_path / "speeds.json"
    kept.write_text(text)
    speeds = ModelSpeeds(kept, _says("7"))
    assert speeds.known(GOOD) is None
    speeds.measure(GOOD)
    assert ModelSpeeds(kept).known(GOOD) == 7


def _until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_measure_that_nobody_wants_any_more_ends_at_once(tmp_path: Path) -> None:
    """Its process too, and the next one is not held up by it."""
    asleep = (sys.executable, "-c", "import time; time.sleep(600)")
    speeds = ModelSpeeds(tmp_path / "speeds.json", asleep)
    calls = []

    def check() -> None:
        calls.append(1)
        if len(calls) == 3:
            raise CallCancelledError

    with pytest.raises(CallCancelledError):
        speeds.measure(GOOD, check)
    assert speeds._process is not None
    assert speeds._process.poll() is not None
    assert not speeds._measuring.locked()


def test_the_end_of_the_engine_ends_a_measure(tmp_path: Path) -> None:
    """Whoever waits for it hears a sentence."""
    asleep = (sys.executable, "-c", "import time; time.sleep(600)")
    speeds = ModelSpeeds(tmp_path / "speeds.json", asleep)
    ends: list[Exception] = []

    def measure() -> None:
        try:
            speeds.measure(GOOD)
        except UserError as error:
            ends.append(error)

    thread = threading.Thread(target=measure)
    thread.start()
    _until(lambda: speeds._process is not None)
    speeds.close()
    thread.join(30)
    assert len(ends) == 1


def test_two_who_want_the_same_wait_for_one_measure(tmp_path: Path) -> None:
    """It runs once."""
    counted = tmp_path / "runs"
    program = f"open({str(counted)!r}, 'a').write('x'); import time; time.sleep(.5); print(4)"
    speeds = ModelSpeeds(tmp_path / "speeds.json", (sys.executable, "-c", program))
    found: list[float] = []
    threads = [
        threading.Thread(target=lambda: found.append(speeds.measure(GOOD))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert found == [4, 4]
    assert counted.read_text() == "x"


def test_a_model_that_is_here_is_really_measured_in_a_process_of_its_own(tmp_path: Path) -> None:
    """It opens the model, embeds for a second and says a number."""
    folder = tmp_path / "model"
    save_checkpoint(folder, tiny_model(), tiny_tokenizer(), "a card")
    speeds = ModelSpeeds(tmp_path / "speeds.json", AT_ONCE)
    assert 0 < speeds.measure(str(folder)) < 1_000_000


@pytest.mark.timeout(400)
def test_a_model_that_is_not_here_can_be_measured(tmp_path: Path) -> None:
    """Random weights of B-32's sizes, of few layers; no file of it is needed."""
    speeds = ModelSpeeds(tmp_path / "speeds.json", AT_ONCE)
    assert 0 < speeds.measure(GOOD) < 100_000


def test_a_model_that_is_nowhere_can_not_be_measured(tmp_path: Path) -> None:
    """The process's own sentence says why."""
    speeds = ModelSpeeds(tmp_path / "speeds.json")
    with pytest.raises(UserError) as refused:
        speeds.measure(str(tmp_path / "no-model"))
    assert "no-model" in refused.value.why or "machine" in refused.value.why
