"""The list of results by itself."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester
from pytestqt.qtbot import QtBot

from cocadesk.protocol.messages import Description
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import Hit, Moment, Row, changed
from ui.library.key_list import KeyList
from ui.library.results_model import ResultsModel


def _row(key: str) -> Row:
    return Row(key=key, path=WirePath.of(f"/photos/{key}.jpg"), name=f"{key}.jpg", folder="/photos")


def test_the_model_keeps_qts_rules_while_it_grows_and_changes(qtbot: QtBot) -> None:
    """Qt's own tester watches resets, insertions and rows that come late."""
    model = ResultsModel()
    tester = QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning)
    model.show_keys(["a", "c"])
    assert model.grow_to(KeyList(["0", "a", "b", "c", "d"]))
    model.set_rows([_row("b")])
    model.refresh_rows(("b",))
    assert model.rowCount(model.index(0)) == 0
    assert model.index(2).data() == "b.jpg"
    del tester


def test_an_edit_is_not_shown_as_undone_by_a_row_asked_for_before(qtbot: QtBot) -> None:
    """Until the engine has taken it; then what it says counts again."""
    model = ResultsModel()
    model.show_keys(["a", "b"])
    model.set_rows([_row("a")])
    model.set_pending([changed(_row("a"), favourite=True)])
    model.set_rows([_row("a"), _row("b")])
    row = model.known_row("a")
    assert row is not None
    assert row.favourite
    assert model.known_row("b") is not None
    model.settle(("a",))
    model.set_rows([changed(_row("a"), stars=5)])
    row = model.known_row("a")
    assert row is not None
    assert (row.favourite, row.stars) == (False, 5)


def test_rows_are_asked_for_once_and_together(qtbot: QtBot) -> None:
    """Painting many cells makes one question; painting again makes none."""
    model = ResultsModel()
    model.show_keys([str(n) for n in range(50)])
    asked: list[object] = []
    model.rows_wanted.connect(asked.append)
    for _ in range(2):
        for position in range(20):
            assert model.index(position).data() is None
        qtbot.wait(20)
    assert asked == [tuple(str(n) for n in range(20))]


def test_a_changed_row_shows_as_it_was_until_the_new_one_comes(qtbot: QtBot) -> None:
    """No flicker when an index touches everything."""
    model = ResultsModel()
    model.show_keys(["a"])
    model.set_rows([_row("a")])
    model.refresh_rows(())
    with qtbot.waitSignal(model.rows_wanted, timeout=5000):
        assert model.index(0).data() == "a.jpg"


def test_words_that_come_do_not_pass_an_old_row_off_as_new(qtbot: QtBot) -> None:
    """A photo under the cursor whose file has gone is asked for, although its words came first."""
    model = ResultsModel()
    model.show_keys(["a"])
    model.set_rows([_row("a")])
    model.refresh_rows(("a",))
    model.set_annotations(Description(key="a", caption="a dog"))
    known = model.known_row("a")
    assert known is not None
    assert known.caption == "a dog"
    with qtbot.waitSignal(model.rows_wanted, timeout=5000):
        assert model.index(0).data() == "a.jpg"


def test_dragged_photos_are_files(qtbot: QtBot) -> None:
    """Other programs get the files themselves."""
    model = ResultsModel()
    model.show_keys(["a", "b"])
    model.set_rows([_row("a"), _row("b")])
    urls = model.mimeData([model.index(0), model.index(1)]).urls()
    assert [url.toLocalFile() for url in urls] == ["/photos/a.jpg", "/photos/b.jpg"]
    assert model.flags(QModelIndex()) == Qt.ItemFlag.NoItemFlags


@given(st.lists(st.integers(0, 30), unique=True, max_size=12), st.data())
def test_growing_by_runs_gives_the_new_list(new: list[int], data: st.DataObject) -> None:
    """For any list and any part of it in order, the runs fill the gaps exactly."""
    keys = [str(n) for n in new]
    kept = [key for key in keys if data.draw(st.booleans())]
    runs = KeyList(kept).insertions(KeyList(keys))
    assert runs is not None
    built = list(kept)
    for position, number in runs:
        built[position:position] = keys[position : position + number]
    assert built == keys


def test_a_list_that_lost_a_key_is_no_growth() -> None:
    """Then the model is reset instead."""
    assert KeyList(["a", "b"]).insertions(KeyList(["a", "c"])) is None


def test_a_hit_with_a_picture_is_seen_before_its_row_comes(qtbot: QtBot) -> None:
    """The picture at once; the row is asked for all the same, and then counts alone."""
    model = ResultsModel()
    picture = WirePath.of("/library/thumbs/a.jpg")
    hits = [
        Hit(key="a", score=1.0, path=WirePath.of("/photos/2014/a.jpg"), thumbnail=picture),
        Hit(key="b", score=0.5, path=WirePath.of("/photos/b.jpg")),
    ]
    model.show_keys(["a", "b"], hits)
    asked: list[object] = []
    model.rows_wanted.connect(asked.append)
    sketch = model.wanted_row("a")
    assert sketch is not None
    assert model.thumbnail_of(sketch) == "/library/thumbs/a.jpg"
    assert (sketch.name, sketch.folder) == ("a.jpg", "/photos/2014")
    assert model.known_row("a") is None, "nobody takes it for the row"
    assert model.wanted_row("b") is None
    qtbot.waitUntil(lambda: asked == [("a", "b")])
    newer = WirePath.of("/library/thumbs/a2.jpg")
    model.set_rows([changed(_row("a"), thumbnail=newer)])
    row = model.wanted_row("a")
    assert row is not None
    assert model.thumbnail_of(row) == "/library/thumbs/a2.jpg"


def test_rows_whose_pictures_are_seen_are_asked_for_after_a_pause(qtbot: QtBot) -> None:
    """Another letter may bring another list meanwhile; its rows alone are asked for."""
    model = ResultsModel()
    asked: list[object] = []
    model.rows_wanted.connect(asked.append)
    path = WirePath.of("/photos/a.jpg")
    model.show_keys(["a"], [Hit(key="a", score=1.0, path=path, thumbnail=path)])
    model.wanted_row("a")
    qtbot.wait(20)
    assert not asked
    model.show_keys(["c"])
    model.wanted_row("c")
    qtbot.waitUntil(lambda: asked == [("c",)])


def test_a_video_shows_the_moment_that_was_found(qtbot: QtBot) -> None:
    """Also once its row has come, whose picture is another."""
    model = ResultsModel()
    moment, whole = WirePath.of("/thumbs/v-3.jpg"), WirePath.of("/thumbs/v.jpg")
    hit = Hit(
        key="v",
        score=1.0,
        path=WirePath.of("/films/v.mp4"),
        time_s=3.0,
        moments=(Moment(time_s=3.0, score=1.0),),
        thumbnail=moment,
    )
    model.show_keys(["v"], [hit])
    row = changed(_row("v"), thumbnail=whole)
    model.set_rows([row])
    assert model.thumbnail_of(row) == "/thumbs/v-3.jpg"
