"""Suggestions accepted and rejected: of a selection at once, or one photo after the other."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from cocadesk.fake_engine.engine import FakeEngine
from cocadesk.protocol.values import MediaKind, Row
from ui.detail.review.queue import Outcome, ReviewQueue
from ui.detail.review.review import WITH_TAGS, Review
from ui.kit.actions import Actions
from ui.library.query import Query
from ui.shell.window import MainWindow

WAIT_MS = 30_000

# Only the screenless platform says this, of lists that pop up.
pytestmark = pytest.mark.qt_log_ignore("does not support")
SELECT = QItemSelectionModel.SelectionFlag.Select


@pytest.fixture
def suggested(window: MainWindow, engine: FakeEngine, qtbot: QtBot) -> list[str]:
    """The keys of eight photos that are selected and have suggested captions and tags."""
    keys = [key for key in window.session.model.all_keys()[3:] if _can_be_read(key)][:8]
    _caption(window, engine, keys, qtbot)
    return keys


def _can_be_read(key: str) -> bool:
    """False for the media of which the fake engine says that they can't be captioned."""
    return int(key.removeprefix("fake")) % 13 != 9


def _caption(window: MainWindow, engine: FakeEngine, keys: list[str], qtbot: QtBot) -> None:
    """Selects these and has them captioned."""
    grid, model = window.widgets.grid, window.session.model
    places = [model.position_of(key) or 0 for key in keys]
    grid.go_to(places[0])
    grid.clearSelection()
    for place in places:
        grid.selectionModel().select(model.index(place), SELECT)
    window.action_set[Actions.CAPTION_SELECTION].trigger()
    qtbot.waitUntil(lambda: all(engine.row(key).caption for key in keys), timeout=WAIT_MS)
    qtbot.waitUntil(lambda: not window.session.tracker.active(), timeout=WAIT_MS)


@pytest.fixture
def review(window: MainWindow, suggested: list[str], qtbot: QtBot) -> Review:
    """The review of these photos, at the first of them."""
    QTest.keyClick(window.widgets.grid, Qt.Key.Key_F7)
    mode = window._controllers.looking.review
    qtbot.waitUntil(lambda: mode.is_open, timeout=WAIT_MS)
    _shown(mode.review, qtbot)
    return mode.review


def _shown(review: Review, qtbot: QtBot) -> Row:
    """The row of the photo that is shown, once it has come with its picture."""
    qtbot.waitUntil(lambda: review._row() is not None, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: review.view.photo.has_picture, timeout=WAIT_MS)
    row = review._row()
    assert row is not None
    return row


def _settle(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(window.session.editor.is_settled, timeout=WAIT_MS)


def _press(review: Review, key: Qt.Key) -> None:
    QTest.keyClick(review.view, key)


def _queue(review: Review) -> ReviewQueue:
    assert review._queue is not None
    return review._queue


# The whole selection ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "has_caption", "has_tags"),
    [
        (Actions.ACCEPT_CAPTION, True, None),
        (Actions.ACCEPT_TAGS, None, True),
        (Actions.ACCEPT_BOTH, True, True),
        (Actions.REJECT_CAPTION, False, None),
        (Actions.REJECT_TAGS, None, False),
        (Actions.REJECT_BOTH, False, False),
    ],
    ids=lambda value: getattr(value, "id", str(value)),
)
def test_all_suggestions_of_a_selection_are_one_step(
    window: MainWindow,
    engine: FakeEngine,
    suggested: list[str],
    qtbot: QtBot,
    action: object,
    has_caption: bool | None,
    has_tags: bool | None,
) -> None:
    """Captions, tags or both become the person's, or go; a notice says so; one undo."""
    before = {key: engine.row(key) for key in suggested}
    window.action_set[action].trigger()  # type: ignore[index]
    _settle(window, qtbot)
    assert "on 8 photos" in window.widgets.notice.text()
    assert window.widgets.notice.button.text() == "Undo"
    for key, old in before.items():
        row = engine.row(key)
        if has_caption is None:
            assert (row.caption, row.caption_by_person) == (old.caption, False)
        else:
            assert (row.caption, row.caption_by_person) == (
                old.caption if has_caption else "",
                True,
            )
        if has_tags is None:
            assert row.tags == old.tags
        else:
            assert [tag.tag for tag in row.tags] == (
                [tag.tag for tag in old.tags] if has_tags else []
            )
            assert all(tag.by_person for tag in row.tags)
    window.widgets.notice.button.click()
    _settle(window, qtbot)
    assert {key: engine.row(key) for key in suggested} == before


def test_a_decision_on_nothing_says_so(window: MainWindow, qtbot: QtBot) -> None:
    """Nothing is there to undo."""
    window.widgets.grid.go_to(20)
    window.widgets.grid.clearSelection()
    window.action_set[Actions.REJECT_BOTH].trigger()
    _settle(window, qtbot)
    assert "nothing is suggested here" in window.widgets.notice.text()
    assert window.session.editor.undo_title == ""


def test_what_is_rejected_stays_away_from_the_next_job(
    window: MainWindow, engine: FakeEngine, suggested: list[str], qtbot: QtBot
) -> None:
    """The window says so in its place; a caption of one's own can still be written."""
    window.action_set[Actions.REJECT_BOTH].trigger()
    _settle(window, qtbot)
    window.action_set[Actions.CAPTION_SELECTION].trigger()
    qtbot.waitUntil(lambda: not window.session.tracker.active(), timeout=WAIT_MS)
    rows = [engine.row(key) for key in suggested]
    assert [(row.caption, row.tags) for row in rows] == [("", ())] * len(rows)
    window.widgets.grid.go_to(window.session.model.position_of(suggested[2]) or 0)
    field = window.widgets.detail.field
    qtbot.waitUntil(lambda: "rejected" in field.origin.text(), timeout=WAIT_MS)
    assert not field.accept.isVisible()


def test_a_suggestion_that_is_emptied_is_rejected(
    window: MainWindow, engine: FakeEngine, suggested: list[str], qtbot: QtBot
) -> None:
    """Who deletes all its words does not want it back."""
    window.widgets.grid.go_to(window.session.model.position_of(suggested[1]) or 0)
    field = window.widgets.detail.field
    qtbot.waitUntil(lambda: bool(field.caption) and field.key == suggested[1], timeout=WAIT_MS)
    window.action_set[Actions.EDIT_CAPTION].trigger()
    field.editor.clear()
    QTest.keyClick(field.editor, Qt.Key.Key_Return)
    _settle(window, qtbot)
    row = engine.row(suggested[1])
    assert (row.caption, row.caption_by_person) == ("", True)
    assert "rejected" in window.widgets.notice.text()


# One after the other ----------------------------------------------------------------------


def test_a_review_goes_from_the_least_sure_caption_to_the_surest(
    review: Review, engine: FakeEngine, suggested: list[str], qtbot: QtBot
) -> None:
    """Return accepts what is shown, all tags too, and shows the next one at once."""
    assert set(_queue(review).keys) == set(suggested)
    scores = [engine.row(key).caption_score or 0.0 for key in _queue(review).keys]
    assert scores == sorted(scores)
    assert review.view.place.text() == "1 of 8"
    assert f"{round(100 * scores[0])} % sure" in review.view.field.origin.text()
    row, first = _shown(review, qtbot), review.current
    _press(review, Qt.Key.Key_Return)
    assert review.view.place.text() == "2 of 8"
    assert review.view.tally.text() == "1 accepted"
    qtbot.waitUntil(lambda: engine.row(first).caption_by_person, timeout=WAIT_MS)
    assert engine.row(first).caption == row.caption
    assert [(tag.tag, tag.by_person) for tag in engine.row(first).tags] == [
        (tag.tag, True) for tag in row.tags
    ]
    # The next one was known before it was wanted.
    assert review._row() is not None
    assert review.view.field.caption


def test_numbers_leave_tags_out_and_reject_them(
    review: Review, engine: FakeEngine, qtbot: QtBot
) -> None:
    """2 strikes the second one; without the tick only what is switched on is accepted."""
    row, first = _shown(review, qtbot), review.current
    tags = [tag.tag for tag in row.tags]
    _press(review, Qt.Key.Key_2)
    assert review.view.tags.buttons[1].property("gone")
    assert f"caption and {len(tags) - 1} tag" in review.view.accept.text()
    _press(review, Qt.Key.Key_A)
    qtbot.waitUntil(lambda: engine.row(first).caption_by_person, timeout=WAIT_MS)
    assert [tag.tag for tag in engine.row(first).tags] == [tags[0], *tags[2:]]
    row, second = _shown(review, qtbot), review.current
    review.view.with_tags.click()
    assert WITH_TAGS.read() is False
    assert review.view.accept.text() == "Accept caption (Enter)"
    _press(review, Qt.Key.Key_1)
    _press(review, Qt.Key.Key_A)
    qtbot.waitUntil(lambda: engine.row(second).caption_by_person, timeout=WAIT_MS)
    assert {tag.tag: tag.by_person for tag in engine.row(second).tags} == {
        tag.tag: tag == row.tags[0] for tag in row.tags
    }


def test_an_edited_caption_is_saved_and_the_next_photo_shown(
    review: Review, engine: FakeEngine, qtbot: QtBot
) -> None:
    """E, words, Return: one step, with the tags."""
    first = review.current
    _press(review, Qt.Key.Key_E)
    editor = review.view.field.editor
    assert editor.hasFocus()
    QTest.keyClicks(editor, "Lena and Ras")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    assert review.view.place.text() == "2 of 8"
    assert review.view.hasFocus()
    qtbot.waitUntil(lambda: engine.row(first).caption == "Lena and Ras", timeout=WAIT_MS)
    assert all(tag.by_person for tag in engine.row(first).tags)
    assert review.view.tally.text() == "1 edited"


def test_a_rejected_caption_goes_and_its_tags_stay_suggestions(
    review: Review, engine: FakeEngine, qtbot: QtBot
) -> None:
    """But for one that was struck."""
    row, first = _shown(review, qtbot), review.current
    _press(review, Qt.Key.Key_1)
    _press(review, Qt.Key.Key_R)
    qtbot.waitUntil(lambda: engine.row(first).caption == "", timeout=WAIT_MS)
    assert engine.row(first).tags == row.tags[1:]
    assert review.view.tally.text() == "1 rejected"


def test_undo_leads_back_to_the_photo_that_it_is_about(
    window: MainWindow, review: Review, engine: FakeEngine, qtbot: QtBot
) -> None:
    """With all of its suggestions, wherever one is by then."""
    row, first = _shown(review, qtbot), review.current
    _press(review, Qt.Key.Key_R)
    _press(review, Qt.Key.Key_S)
    _settle(window, qtbot)
    assert review.view.place.text() == "3 of 8"
    QTest.keyClick(review.view, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: review.current == first, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: review.view.field.caption == row.caption, timeout=WAIT_MS)
    assert engine.row(first) == row
    assert review.view.tally.text() == "1 skipped"


def test_what_is_decided_already_is_only_passed(
    window: MainWindow, review: Review, engine: FakeEngine, qtbot: QtBot
) -> None:
    """Return on it again leads on; it was edited, and counts as that."""
    first = review.current
    _press(review, Qt.Key.Key_E)
    review.view.field.editor.setPlainText("Lena")
    QTest.keyClick(review.view.field.editor, Qt.Key.Key_Return)
    _settle(window, qtbot)
    _press(review, Qt.Key.Key_Left)
    _shown(review, qtbot)
    assert review.view.accept.text() == "Next (Enter)"
    assert not review.view.reject.isEnabled()
    _press(review, Qt.Key.Key_Return)
    assert review.current != first
    assert review.view.tally.text() == "1 edited"
    assert engine.row(first).caption == "Lena"


def test_one_skips_and_goes_back(review: Review, engine: FakeEngine, qtbot: QtBot) -> None:
    """Nothing is changed; tags that were struck are so still; back at the first it stays."""
    first = review.current
    before = engine.row(first)
    _press(review, Qt.Key.Key_1)
    _press(review, Qt.Key.Key_Right)
    assert review.current != first
    _press(review, Qt.Key.Key_Left)
    _press(review, Qt.Key.Key_Left)
    assert review.current == first
    _shown(review, qtbot)
    assert review.view.tags.buttons[0].property("gone")
    assert engine.row(first) == before


def test_half_a_caption_is_kept_when_one_leaves(
    window: MainWindow, review: Review, engine: FakeEngine, qtbot: QtBot
) -> None:
    """By another photo or out of the review: it is saved where it was typed."""
    first = review.current
    _press(review, Qt.Key.Key_E)
    review.view.field.editor.setPlainText("half a")
    review.view.skip.click()
    second = review.current
    _shown(review, qtbot)
    _press(review, Qt.Key.Key_E)
    review.view.field.editor.setPlainText("a caption")
    window._controllers.looking.review.close()
    _settle(window, qtbot)
    assert engine.row(first).caption == "half a"
    assert engine.row(second).caption == "a caption"


def test_escape_first_ends_the_edit_then_the_review(
    window: MainWindow, review: Review, engine: FakeEngine, suggested: list[str], qtbot: QtBot
) -> None:
    """The grid is as it was, with its selection; the notice says what was done."""
    _press(review, Qt.Key.Key_S)
    _press(review, Qt.Key.Key_E)
    QTest.keyClick(review.view.field.editor, Qt.Key.Key_Escape)
    assert window._controllers.looking.review.is_open
    QTest.keyClick(review.view, Qt.Key.Key_Escape)
    assert not window._controllers.looking.review.is_open
    assert window.widgets.grid.hasFocus()
    assert window.widgets.grid.selected_count() == 8
    assert window.widgets.notice.text() == "Reviewed: 1 skipped"


def test_the_review_ends_after_the_last_photo(
    window: MainWindow, review: Review, engine: FakeEngine, suggested: list[str], qtbot: QtBot
) -> None:
    """All eight by one key each."""
    for _ in suggested:
        _shown(review, qtbot)
        _press(review, Qt.Key.Key_Return)
    _settle(window, qtbot)
    assert not window._controllers.looking.review.is_open
    assert all(engine.row(key).caption_by_person for key in suggested)
    assert window.widgets.notice.text() == "Reviewed: 8 accepted"


def test_a_tag_of_ones_own_is_added_in_passing(
    window: MainWindow, review: Review, engine: FakeEngine, qtbot: QtBot
) -> None:
    """T opens the field; Return in it adds the tag and decides nothing else."""
    first = review.current
    _press(review, Qt.Key.Key_T)
    field = review.view.chips.field
    assert field.hasFocus()
    QTest.keyClicks(field, "ras")
    QTest.keyClick(field, Qt.Key.Key_Return)
    _settle(window, qtbot)
    assert ("ras", True) in [(tag.tag, tag.by_person) for tag in engine.row(first).tags]
    assert review.current == first
    assert not engine.row(first).caption_by_person


def test_no_other_photo_is_changed_by_keys_of_the_grid(
    window: MainWindow, review: Review, engine: FakeEngine, qtbot: QtBot
) -> None:
    """P, L and 5 mean nothing here; least of all for the photo under the grid's cursor."""
    keys = window.session.model.all_keys()
    before = [engine.row(key) for key in keys]
    for key in (Qt.Key.Key_P, Qt.Key.Key_L, Qt.Key.Key_X, Qt.Key.Key_Delete):
        _press(review, key)
    _settle(window, qtbot)
    assert [engine.row(key) for key in keys] == before
    assert window._controllers.looking.review.is_open


def test_a_video_plays_in_its_place(window: MainWindow, engine: FakeEngine, qtbot: QtBot) -> None:
    """Its controls are there; a photo has none."""
    keys = list(filter(_can_be_read, window.session.model.all_keys()))
    kinds = {engine.row(key).kind: key for key in keys}
    _caption(window, engine, list(kinds.values()), qtbot)
    window.action_set[Actions.REVIEW].trigger()
    mode = window._controllers.looking.review
    qtbot.waitUntil(lambda: mode.is_open, timeout=WAIT_MS)
    seen = {}
    for _ in range(2):
        row = _shown(mode.review, qtbot)
        seen[row.kind] = mode.review.view.video.controls.isVisible()
        _press(mode.review, Qt.Key.Key_S)
    assert seen == {MediaKind.VIDEO: True, MediaKind.PHOTO: False}


def test_a_list_without_suggestions_says_so(window: MainWindow, qtbot: QtBot) -> None:
    """Nothing opens."""
    with qtbot.waitSignal(window.session.browser.settled, timeout=WAIT_MS):
        window.widgets.search.set_query("favourite:yes")
    window.action_set[Actions.REVIEW].trigger()
    qtbot.waitUntil(
        lambda: "No caption is suggested" in window.widgets.notice.text(), timeout=WAIT_MS
    )
    assert not window._controllers.looking.review.is_open


# The order of a review --------------------------------------------------------------------


def test_how_long_the_rest_takes_follows_the_last_decisions() -> None:
    """A pause at one photo counts as a minute; fewer than three tell nothing."""
    queue, now_s = ReviewQueue([f"k{n}" for n in range(100)], 0.0), 0.0
    for seconds in (3.0, 3.0):
        now_s += seconds
        queue.note(Outcome.ACCEPTED, now_s)
        queue.step(1, now_s)
    assert queue.left == ""
    now_s += 6000.0
    queue.note(Outcome.SKIPPED, now_s)
    queue.step(1, now_s)
    assert queue.left == "about 36 minutes left"
    assert (queue.place, queue.tally) == ("4 of 100", "2 accepted, 1 skipped")


def test_the_nearest_photos_are_wanted_first() -> None:
    """Those ahead before those behind, as most people go on."""
    queue = ReviewQueue("abcdef", 0.0)
    for _ in range(3):
        queue.step(1, 0.0)
    assert queue.near(2, 9) == ["d", "e", "f", "c", "b"]
    assert not queue.go_to(["z"], 0.0)
    assert queue.go_to(["e", "b"], 0.0)
    assert queue.current == "b"


def test_the_list_of_what_is_to_review_has_a_button_for_it(
    window: MainWindow, suggested: list[str], qtbot: QtBot
) -> None:
    """Nobody has to know F7; other lists have none."""
    button = window.widgets.results.review
    assert not button.isVisible()
    with qtbot.waitSignal(window.session.browser.settled, timeout=WAIT_MS):
        window.session.browser.ask(Query(terms=("captioned:machine",)))
    assert button.isVisible()
    window.widgets.grid.clearSelection()
    QTest.mouseClick(button, Qt.MouseButton.LeftButton)
    mode = window._controllers.looking.review
    qtbot.waitUntil(lambda: mode.is_open, timeout=WAIT_MS)
    mode.close()
    with qtbot.waitSignal(window.session.browser.settled, timeout=WAIT_MS):
        window.session.browser.ask(Query())
    assert not button.isVisible()
