"""The page of models against a fake engine: three choices, the others, and changing over."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from cocadesk.fake_engine.engine import FakeEngine
from cocadesk.protocol.messages import Models
from cocadesk.protocol.values import (
    JobKind,
    JobState,
    JobValue,
    ModelState,
    ModelValue,
    changed,
)
from ui.kit import desktop
from ui.kit.texts import device_line
from ui.models.cards import coverage
from ui.models.offer_card import NOT_MEASURED, OfferCard
from ui.models.offer_state import Stage
from ui.models.page import ModelsPage
from ui.models.recall_picture import RecallPicture
from ui.shell.pages import Pages
from ui.shell.window import MainWindow

WAIT_MS = 30_000
STARTER = "starter"
GOOD = "open_clip:coca_ViT-B-32/laion2b_s13b_b90k"
BEST = "open_clip:coca_ViT-L-14/mscoco_finetuned_laion2b_s13b_b90k"
CAPTIONER = "open_clip:coca_ViT-B-32/mscoco_finetuned_laion2b_s13b_b90k"


def _opened(window: MainWindow, qtbot: QtBot) -> ModelsPage:
    window.switcher.show(Pages.MODELS)
    made = window.switcher.built(Pages.MODELS)
    assert isinstance(made, ModelsPage)
    qtbot.waitUntil(lambda: len(made.offers.cards) == 4, timeout=WAIT_MS)
    qtbot.waitUntil(made.device.isVisible, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: _card(made, BEST).offer.photos_per_second is not None, timeout=WAIT_MS)
    return made


def _card(page: ModelsPage, source: str) -> OfferCard:
    return page.offers.cards[source]


@pytest.fixture
def page(window: MainWindow, qtbot: QtBot) -> ModelsPage:
    """The page with its three choices and a taught model."""
    return _opened(window, qtbot)


@pytest.fixture
def slow_page(
    library: Path, make_window: Callable[..., MainWindow], qtbot: QtBot
) -> Iterator[ModelsPage]:
    """The same on an engine whose jobs take long enough to be seen."""
    with FakeEngine(library, media=40, step_s=0.3):
        yield _opened(make_window(), qtbot)


def _used(page: ModelsPage) -> list[str]:
    cards = [source for source, card in page.offers.cards.items() if card.offer.is_used]
    return cards + [row.entry.source for row in page.rows if row.entry.is_used]


def _until_used(page: ModelsPage, source: str, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: _used(page) == [source], timeout=WAIT_MS)


def test_three_choices_stand_in_order_with_what_they_find_and_take(page: ModelsPage) -> None:
    """The smallest first; numbers in words, and as a picture that a reader hears as well."""
    assert list(page.offers.cards) == [STARTER, GOOD, BEST, CAPTIONER]
    found = [card.findChild(RecallPicture) for card in page.offers.cards.values()]
    numbers = [(part.squares.first, part.squares.five) for part in found if part]
    assert numbers == [(25, 54), (63, 86), (79, 95)]
    assert found[-1] is None, "one that can't search has no picture of its search"
    assert found[1] is not None
    assert found[1].accessibleName().startswith("Of 100 sentences 63 find their photo first")
    good = _card(page, GOOD)
    assert good.takes.value.text() == "1.0 GB on the disk"
    assert good.speed.value.text() == "about 18 photos a second"
    assert good.time.value.text() == "under a minute for what it has not read yet"
    assert _card(page, STARTER).time.value.text() == "has read your photos"


def test_the_model_in_use_is_marked_with_where_it_runs(page: ModelsPage) -> None:
    """Badge, device and the reason for it; there is nothing to click."""
    assert _used(page) == [STARTER]
    card = _card(page, STARTER)
    assert card.badge.text() == "In use"
    assert not card.go.isVisible()
    assert not card.drop.isVisible()
    assert "(made-up) runs on the processor (CPU): It is a fake." in page.device.text()


def test_a_model_that_was_never_measured_is_measured_when_the_page_is_opened(
    page: ModelsPage,
) -> None:
    """Best has a speed, and so a time for the library."""
    best = _card(page, BEST)
    assert best.speed.value.text() == "about 1.9 photos a second"
    assert best.time.value.text() == "under a minute for your 40 photos and videos"
    assert NOT_MEASURED not in best.speed.value.text()


def test_a_taught_model_that_sees_alike_is_used_at_once(page: ModelsPage, qtbot: QtBot) -> None:
    """Nothing to pay, nothing to ask."""
    assert [row.entry.source for row in page.rows] == ["run:job-1"]
    qtbot.mouseClick(page.rows[0].use, Qt.MouseButton.LeftButton)
    _until_used(page, "run:job-1", qtbot)


def test_a_model_that_sees_otherwise_names_its_price_first(page: ModelsPage, qtbot: QtBot) -> None:
    """No is an answer; Esc too; after yes it reads, and then answers."""
    card = _card(page, GOOD)
    qtbot.mouseClick(card.go, Qt.MouseButton.LeftButton)
    assert "under a minute" in card.inquiry.text.text()
    assert "present model" in card.inquiry.text.text()
    assert not card.go.isVisible()
    qtbot.mouseClick(card.inquiry.refuse, Qt.MouseButton.LeftButton)
    assert not card.inquiry.isVisible()
    assert QApplication.focusWidget() is card.go
    qtbot.keyClick(card.go, Qt.Key.Key_Space)
    assert card.inquiry.answers[0].hasFocus()
    qtbot.keyClick(card.inquiry.answers[0], Qt.Key.Key_Escape)
    assert not card.inquiry.isVisible()
    assert _used(page) == [STARTER]
    qtbot.mouseClick(card.go, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(card.inquiry.answers[0], Qt.MouseButton.LeftButton)
    _until_used(page, GOOD, qtbot)
    assert not page.changing.isVisible()


def test_a_reading_is_followed_on_the_card_of_its_model(
    slow_page: ModelsPage, qtbot: QtBot
) -> None:
    """With a bar, pause and stop; the page has no second place that says the same."""
    card = _card(slow_page, GOOD)
    qtbot.mouseClick(card.go, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(card.inquiry.answers[0], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: card.state.stage is Stage.READING, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: " of 30" in card.progress.line.text(), timeout=WAIT_MS)
    assert "search uses the present model" in card.progress.line.text()
    assert not slow_page.changing.isVisible()
    qtbot.mouseClick(card.progress.cancel, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: card.state.stage is Stage.HERE, timeout=WAIT_MS)


def test_a_fetching_shows_its_bytes_is_stopped_and_goes_on_where_it_ended(
    slow_page: ModelsPage, qtbot: QtBot
) -> None:
    """Paused, resumed, stopped: what came is kept, and said; Resume needs no second question."""
    card = _card(slow_page, BEST)
    assert card.state.stage is Stage.BROKEN_OFF
    assert card.line.text().startswith("39 % of it is here")
    assert card.go.text() == "Resume"
    qtbot.mouseClick(card.go, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: card.state.stage is Stage.FETCHING, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: " of 2.6 GB" in card.progress.line.text(), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: card.progress.bar.value() > 0, timeout=WAIT_MS)
    qtbot.mouseClick(card.progress.pause, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: card.badge.text() == "Paused", timeout=WAIT_MS)
    qtbot.mouseClick(card.progress.cancel, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: card.state.stage is Stage.BROKEN_OFF, timeout=WAIT_MS)


def test_nothing_goes_online_before_a_person_has_said_yes(page: ModelsPage, qtbot: QtBot) -> None:
    """The question names how much comes and from where; only then a job begins."""
    card = _card(page, BEST)
    qtbot.mouseClick(card.drop, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(card.inquiry.answers[0], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: card.state.stage is Stage.ABSENT, timeout=WAIT_MS)
    assert "free again" in page.freed.text()
    qtbot.mouseClick(card.go, Qt.MouseButton.LeftButton)
    asked = card.inquiry.text.text()
    assert "2.6 GB comes over the network from models.example.org" in asked
    assert "nothing of your photos" in asked
    kinds = {job.kind for job in page._tracker.all()}
    assert JobKind.FETCH_MODEL not in kinds
    qtbot.mouseClick(card.inquiry.answers[1], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: card.state.stage is Stage.HERE, timeout=WAIT_MS)
    assert _used(page) == [STARTER]


def test_fetch_and_use_is_one_click(slow_page: ModelsPage, qtbot: QtBot) -> None:
    """It is fetched, it reads, it answers; while it is fetched the card says what comes then."""
    page, card = slow_page, _card(slow_page, BEST)
    qtbot.mouseClick(card.drop, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(card.inquiry.answers[0], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: card.state.stage is Stage.ABSENT, timeout=WAIT_MS)
    qtbot.mouseClick(card.go, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(card.inquiry.answers[0], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "then it reads" in card.progress.line.text(), timeout=WAIT_MS)
    _until_used(page, BEST, qtbot)
    assert card.time.value.text() == "has read your photos"


def test_one_model_may_search_and_another_write_captions(page: ModelsPage, qtbot: QtBot) -> None:
    """Each card says which it does; one that can't search is offered for captions alone."""
    starter, good, captioner = (_card(page, one) for one in (STARTER, GOOD, CAPTIONER))
    qtbot.mouseClick(good.caption, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: good.badge.text() == "Writes captions", timeout=WAIT_MS)
    qtbot.waitUntil(lambda: starter.badge.text() == "Searches", timeout=WAIT_MS)
    assert starter.caption.isVisible()
    assert captioner.speed.isHidden()
    qtbot.mouseClick(captioner.go, Qt.MouseButton.LeftButton)
    assert "search stays as it is" in captioner.inquiry.text.text()
    qtbot.mouseClick(captioner.inquiry.answers[0], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: captioner.badge.text() == "Writes captions", timeout=WAIT_MS)
    assert good.badge.text() == "On this computer"
    assert not captioner.go.isVisible()
    qtbot.mouseClick(starter.caption, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: starter.badge.text() == "In use", timeout=WAIT_MS)


def test_a_model_is_removed_after_a_question_that_says_what_is_freed(
    page: ModelsPage, qtbot: QtBot
) -> None:
    """And can be had again."""
    card = _card(page, GOOD)
    qtbot.mouseClick(card.drop, Qt.MouseButton.LeftButton)
    assert "frees 1.0 GB" in card.inquiry.text.text()
    qtbot.mouseClick(card.inquiry.answers[0], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: card.state.stage is Stage.ABSENT, timeout=WAIT_MS)
    assert card.go.text() == "Get…"


def test_a_model_is_named_by_a_path_or_a_hub_name(
    page: ModelsPage, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What is no model is refused in a sentence; a name is fetched and then used."""
    assert not page.other.use.isEnabled()
    photo = tmp_path / "holiday.jpg"
    monkeypatch.setattr(desktop, "ask_for_file", lambda *_: str(photo))
    qtbot.mouseClick(page.other.file, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(page.other.use, Qt.MouseButton.LeftButton)
    assert str(photo) in page.problem.text()
    assert not page.question.isVisible()
    photo.touch()
    qtbot.mouseClick(page.other.file, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(page.other.use, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(page.question.agree, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(page.problem.isVisible, timeout=WAIT_MS)
    assert "not a model" in page.problem.text()
    page.other.source.setText("hf-hub:somebody/coca")
    qtbot.keyClick(page.other.source, Qt.Key.Key_Return)
    assert "40 photos and videos" in page.question.text.text()
    qtbot.mouseClick(page.question.agree, Qt.MouseButton.LeftButton)
    _until_used(page, "hf-hub:somebody/coca", qtbot)
    assert not page.problem.isVisible()


def test_where_it_runs_is_told_in_words() -> None:
    """Also while it opens, and where it could not."""
    ready = ModelValue(state=ModelState.READY, device="cuda:0", precision="bf16", reason="Fast.")
    assert (
        device_line(ready) == "The model in use runs on the graphics card (cuda:0) in bf16: Fast."
    )
    assert "being opened" in device_line(ModelValue(state=ModelState.LOADING))
    failed = ModelValue(state=ModelState.FAILED, reason="The file is cut off.")
    assert device_line(failed) == "The model could not be opened. The file is cut off."


def test_how_much_a_model_has_seen_never_says_all_or_nothing_too_early() -> None:
    """One of a thousand is not nothing, and 999 are not all."""
    assert coverage(0.0) == "has not read the library yet"
    assert coverage(0.001) == "has read 1 % of the library"
    assert coverage(0.999) == "has read 99 % of the library"
    assert coverage(1.0) == "has read the whole library"


def test_the_progress_of_a_model_without_a_card_asks_once_for_the_list(
    page: ModelsPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not with every photo that such a model has read."""
    asked = list[str]()
    monkeypatch.setattr(page.requests, "refresh", lambda: asked.append("models"))
    for done in range(5):
        job = JobValue(
            id="elsewhere", kind=JobKind.SWITCH_MODEL, state=JobState.RUNNING, title="", done=done
        )
        page.offers._on_job(job)
    assert asked == ["models"]


def test_no_model_waits_twice_to_be_measured(page: ModelsPage) -> None:
    """The page is shown again, and then the list comes: both begin to measure."""
    offers = page.offers
    offers.stop_measuring()
    offers._was_measured.clear()
    for card in offers.cards.values():
        card.offer = changed(card.offer, photos_per_second=None)
    offers.measure_all()
    offers.measure_all()
    offers._on_measure(BEST)
    assert offers._to_measure == [GOOD, BEST]


def test_a_question_about_another_model_stays_while_the_offers_change(page: ModelsPage) -> None:
    """It is read, and Esc says no to it as to those of the cards."""
    row = page.rows[0]
    row._on_remove()
    assert row.inquiry.isVisible()
    faster = [changed(one, photos_per_second=99.0) for one in page.requests.offers]
    page.requests._on_models(Models(models=page.requests.models, offers=tuple(faster)))
    assert page.rows[0] is row
    assert row.inquiry.isVisible()
    assert page.step_back()
    assert not row.inquiry.isVisible()
