"""The table of groups: many of them, a stretch at a time."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from cocadesk.protocol.messages import GroupMember, Groups, PictureGroup
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import GroupLabel, Row, changed
from ui.kit.app_theme import AppTheme
from ui.kit.image_loader import ImageLoader
from ui.library.alike.members import Member, lines_of, title_of
from ui.library.alike.model import MAX_STRETCHES, STRETCH, GroupsModel
from ui.library.alike.table import GroupsTable

MANY = 10_000
WAIT_MS = 30_000


def group(number: int, members: int = 2, **more: object) -> PictureGroup:
    """A group whose members are named after its number."""
    rows = [
        Row(key=f"{number}-{n}", path=WirePath.of("/a.jpg"), name=f"{number}-{n}.jpg", folder="/")
        for n in range(members)
    ]
    found = tuple(GroupMember(row=row, label=GroupLabel.SAME) for row in rows)
    values = {"count": members} | more
    return PictureGroup(label=GroupLabel.SAME, members=found, **values)  # type: ignore[arg-type]


def stretch(first: int, total: int = MANY, members: int = 2) -> Groups:
    """The answer to a question for the groups from there on."""
    places = range(first, min(total, first + STRETCH))
    return Groups(groups=tuple(group(n, members) for n in places), offset=first, total=total)


@pytest.fixture
def model(owner: QObject) -> GroupsModel:
    """Ten thousand groups, of which the first stretch has come."""
    made = GroupsModel(owner)
    made.take(stretch(0))
    return made


def test_only_what_is_looked_at_is_asked_for(model: GroupsModel, qtbot: QtBot) -> None:
    """One question for a stretch, however often it is looked at; nothing waits for it."""
    assert model.rowCount() == MANY
    asked: list[int] = []
    model.wanted.connect(asked.append)
    with qtbot.waitSignal(model.wanted, timeout=WAIT_MS):
        for place in (7_001, 7_002, 7_003):
            assert model.group(place) is None
    assert model.group(3) == group(3)
    assert asked == [7_000]
    model.take(stretch(7_000))
    assert model.group(7_002) == group(7_002)
    assert model.place_of("7002-1") == (7_002, 1)


def test_what_was_scrolled_past_is_not_waited_for(model: GroupsModel, qtbot: QtBot) -> None:
    """Of many stretches the last few are asked for."""
    asked: list[int] = []
    model.wanted.connect(asked.append)
    with qtbot.waitSignal(model.wanted, timeout=WAIT_MS):
        for first in range(STRETCH, 40 * STRETCH, STRETCH):
            model.group(first)
    assert asked == [37 * STRETCH, 38 * STRETCH, 39 * STRETCH]


def test_memory_stays_flat_while_all_are_walked_through(model: GroupsModel) -> None:
    """Old stretches go and are asked for again."""
    for first in range(0, MANY, STRETCH):
        model.take(stretch(first))
    kept = [first for first in range(0, MANY, STRETCH) if model.place_of(f"{first}-0")]
    assert len(kept) == MAX_STRETCHES
    assert model.group(0) is None


def test_fewer_groups_and_others_keep_the_place(model: GroupsModel) -> None:
    """Lines go at the end; what stood elsewhere shows until it has come again."""
    gone: list[tuple[int, int]] = []
    model.rowsRemoved.connect(lambda _parent, first, last: gone.append((first, last)))
    model.refresh()
    assert model.group(5) == group(5)
    assert model.place_of("5-0") is None
    model.take(stretch(0, total=MANY - 2))
    assert gone == [(MANY - 2, MANY - 1)]
    assert model.place_of("5-0") == (5, 0)


def test_a_member_has_its_newest_row(model: GroupsModel) -> None:
    """A flag that was set shows at once; a stretch that comes later has it by itself."""
    member = model.member(4, 1)
    assert isinstance(member, Member)
    model.set_rows([changed(member.row, flag="reject")])
    newer = model.member(4, 1)
    assert newer is not None
    assert newer.row.flag == "reject"
    assert model.known(["4-1", "99999-0"]) == ("4-1",)


def test_the_table_moves_over_ten_thousand_groups_at_once(
    model: GroupsModel, app_theme: AppTheme, qtbot: QtBot
) -> None:
    """The cursor keeps to members, also where another group has fewer."""
    loader = ImageLoader(long_side_px=64, keep=8)
    table = GroupsTable(model, loader)
    qtbot.addWidget(table)
    table.resize(900, 700)
    table.show()
    table.go_to(MANY - 1, 5)
    assert table.currentIndex().row() == MANY - 1
    table.go_to(3, 1)
    model.take(Groups(groups=tuple(group(n, 1) for n in range(STRETCH)), offset=0, total=MANY))
    assert table.currentIndex().column() == 0
    loader.close()


def test_a_group_says_what_more_there_is_of_it() -> None:
    """The size of all beside the best, a person's choice, and members that are not shown."""
    shown = group(1, 3, count=340, reason="sharpest", spare_bytes=5_200_000)
    assert title_of(shown) == "Same picture · 340"
    assert lines_of(shown) == (
        "Best · sharpest", "5.2 MB beside the best", "the first 3 are shown",
    )  # fmt: skip
    assert lines_of(group(1, 2, reason="you chose it", is_chosen=True)) == ("Your choice",)
