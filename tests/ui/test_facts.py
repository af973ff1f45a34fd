"""The facts of a medium: which are shown, in what order, and how they fit."""

from __future__ import annotations

import pytest
from msgspec.structs import replace
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import Fact, MediaKind, Row
from ui.detail.facts import FactsTable, facts_of
from ui.kit.app_theme import AppTheme
from ui.kit.widgets import ElidedLabel

ROW = Row(
    key="k", path=WirePath("/p/a.jpg"), name="a.jpg", folder="/p", width=4000, height=3000,
    size_bytes=3_400_000, taken="2025-05-03T14:30:00", camera="Camera 7",
)  # fmt: skip
LENS = Fact(name="lens", label="Lens", text="35 mm")
PLACE = Fact(name="place", label="Place", text="52.50000, 13.40000")

# Only the screenless platform says this, of every window of its own.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")


@pytest.fixture
def table(app_theme: AppTheme, qtbot: QtBot) -> FactsTable:
    """A narrow table that is shown."""
    made = FactsTable()
    qtbot.addWidget(made)
    made.resize(260, 200)
    made.show()
    return made


def _visible(table: FactsTable) -> list[tuple[str, str]]:
    labels = [part for part in table.findChildren(QLabel) if part.isVisible()]
    names = [part.text() for part in labels if not isinstance(part, ElidedLabel)]
    values = [part.text() for part in labels if isinstance(part, ElidedLabel)]
    return list(zip(names, values, strict=True))


def test_a_row_alone_has_its_facts_at_once() -> None:
    """Dates, sizes and lengths as people read them; the folder last."""
    assert [(fact.label, fact.text) for fact in facts_of(ROW)] == [
        ("Name", "a.jpg"),
        ("Taken", "3 May 2025, 14:30"),
        ("Size", "4000 × 3000 · 3.4 MB"),
        ("Camera", "Camera 7"),
        ("Folder", "/p"),
    ]


def test_what_is_not_known_has_no_line() -> None:
    """No empty values, and no zero sizes."""
    bare = Row(key="k", path=WirePath("/p/a.jpg"), name="a.jpg", folder="/p")
    assert [fact.name for fact in facts_of(bare)] == ["name", "folder"]
    assert [fact.name for fact in facts_of(bare, [replace(LENS, text="")])] == ["name", "folder"]


def test_a_video_tells_its_length() -> None:
    """A photo has none."""
    video = replace(ROW, kind=MediaKind.VIDEO, duration_s=62.0)
    assert Fact(name="duration", label="Length", text="1:02") in facts_of(video)


def test_facts_of_the_engine_come_in_between_each_once() -> None:
    """The row's own date is kept as it is; unknown facts stand before the folder."""
    more = (
        PLACE,
        Fact(name="taken", label="Taken", text="2025-05-03 14:30"),
        LENS,
        Fact(name="title", label="Title", text="Beach"),
        Fact(name="new", label="New", text="thing"),
    )
    names = [fact.name for fact in facts_of(ROW, more)]
    assert names == [
        "name", "title", "taken", "dimensions", "camera", "lens", "place", "new", "folder"
    ]  # fmt: skip
    taken = next(fact for fact in facts_of(ROW, more) if fact.name == "taken")
    assert taken.text == "3 May 2025, 14:30"


def test_what_another_line_tells_already_is_not_said_twice() -> None:
    """The file's size stands beside its dimensions, its format in its name."""
    more = [
        Fact(name="size", label="File size", text="3.4 MB"),
        Fact(name="format", label="Format", text="JPEG"),
    ]
    assert facts_of(ROW, more) == facts_of(ROW)


def test_the_table_shows_labels_and_values_in_order(table: FactsTable) -> None:
    """Fewer facts later leave no old line behind."""
    table.show_facts(facts_of(ROW, [LENS, PLACE]))
    assert _visible(table) == list(table.texts().items())
    assert table.texts()["Lens"] == "35 mm"
    table.show_facts(facts_of(replace(ROW, camera=None)))
    assert _visible(table) == list(table.texts().items())
    assert "Lens" not in table.texts()


def test_a_value_that_does_not_fit_is_cut_off_and_its_tip_has_all(table: FactsTable) -> None:
    """Paths lose their middle, so that the end tells folders apart."""
    path = "/home/somebody/Pictures/" + "very/" * 20 + "long"
    table.show_facts(facts_of(replace(ROW, folder=path)))
    values = {
        part.accessibleName(): part for part in table.findChildren(ElidedLabel) if part.isVisible()
    }
    assert values["Folder"].toolTip() == path
    assert values["Taken"].toolTip() == ""
    shown = (
        values["Folder"]
        .fontMetrics()
        .elidedText(path, Qt.TextElideMode.ElideMiddle, values["Folder"].width())
    )
    assert shown.endswith("long")
    table.resize(3000, 200)
    assert values["Folder"].toolTip() == "" or values["Folder"].width() < 1000


def test_a_long_value_does_not_make_the_table_wider(table: FactsTable) -> None:
    """The detail keeps the width that a person gave it."""
    before = table.minimumSizeHint().width()
    description = Fact(name="description", label="Description", text="word " * 200)
    table.show_facts(facts_of(ROW, [description]))
    assert table.minimumSizeHint().width() <= max(before, 200)


def test_the_same_lines_are_used_again(table: FactsTable) -> None:
    """Stepping through a thousand photos makes no thousand labels."""
    table.show_facts(facts_of(ROW, [LENS]))
    made = len(table.findChildren(QLabel))
    for _ in range(5):
        table.show_facts(facts_of(ROW))
        table.show_facts(facts_of(ROW, [LENS]))
    assert len(table.findChildren(QLabel)) == made
