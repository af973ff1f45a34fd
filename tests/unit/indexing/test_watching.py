"""When changes are due, and when folders are looked at without one."""

from __future__ import annotations

import pytest

from cocadesk.indexing.watching import CALM, Changes, Looks, WatchPace

PACE = WatchPace(quiet_s=2.0, most_s=30.0, remote_every_s=600.0, watched_every_s=7200.0)
ROOT, OTHER = b"/photos", b"/more"


def test_a_change_is_due_once_its_folder_is_quiet() -> None:
    """A file that is being written changes on and on; nobody reads half of it."""
    changes = Changes(PACE)
    assert changes.wait_s(0.0) is None
    for second in range(5):
        changes.note(ROOT, float(second))
        assert changes.take(float(second) + 0.5) == []
    assert changes.wait_s(4.0) == 2.0
    assert changes.take(6.0) == [ROOT]
    assert changes.take(99.0) == []


def test_a_folder_that_is_never_quiet_is_looked_at_all_the_same() -> None:
    """A long import shows what has come; what is being written then is left to the next look."""
    changes = Changes(PACE)
    for second in range(30):
        changes.note(ROOT, float(second))
        assert changes.take(float(second)) == []
    assert changes.take(30.0) == [ROOT]


def test_a_thousand_changes_are_one_look() -> None:
    """However many files, and in however many folders."""
    changes = Changes(PACE)
    for number in range(1000):
        changes.note((ROOT, OTHER)[number % 2], number / 1000)
    assert changes.take(3.0) == [OTHER, ROOT]
    assert changes.wait_s(3.0) is None


def test_what_changes_in_two_roots_is_looked_at_together() -> None:
    """A file that moves from one to the other is neither lost nor copied."""
    changes = Changes(PACE)
    changes.note(ROOT, 0.0)
    changes.note(OTHER, 1.5)
    assert changes.take(2.0) == [OTHER, ROOT]


def test_nothing_is_looked_at_in_a_root_that_is_none_any_more() -> None:
    """It was forgotten meanwhile."""
    changes = Changes(PACE)
    changes.note(ROOT, 0.0)
    changes.forget([ROOT, OTHER])
    assert changes.take(99.0) == []


def test_every_root_is_looked_at_first_and_then_by_how_it_is_watched() -> None:
    """Often where the system tells nothing, seldom where it does."""
    looks = Looks(PACE, identity_of=lambda _root: (1, 1))
    reasons = {ROOT: "", OTHER: "a network"}
    assert looks.due(reasons, 0.0) == [ROOT, OTHER]
    looks.note(reasons, 0.0, took_s=1.0)
    assert looks.due(reasons, 599.0) == []
    assert looks.due(reasons, 600.0) == [OTHER]
    assert looks.due(reasons, 7200.0) == [ROOT, OTHER]
    looks.forget()
    assert looks.due(reasons, 0.0) == [ROOT, OTHER]


def test_a_slow_look_is_made_less_often() -> None:
    """It never takes more than a small part of the time."""
    looks = Looks(PACE, identity_of=lambda _root: (1, 1))
    looks.note([OTHER], 0.0, took_s=100.0)
    assert looks.due({OTHER: "a network"}, 100.0 * CALM - 1) == []
    assert looks.due({OTHER: "a network"}, 100.0 * CALM) == [OTHER]


@pytest.mark.parametrize("other", [None, (1, 2), (2, 1)])
def test_a_disk_that_goes_or_comes_is_noticed(other: tuple[int, int] | None) -> None:
    """Pulled out, put back, or another folder in its place; a new root is no move."""
    now: dict[bytes, tuple[int, int] | None] = {ROOT: (1, 1)}
    looks = Looks(PACE, identity_of=now.get)
    assert looks.came_or_went([ROOT]) == []
    now[ROOT] = other
    assert looks.came_or_went([ROOT]) == [ROOT]
    assert looks.came_or_went([ROOT]) == []
    now[ROOT] = (1, 1)
    assert looks.came_or_went([ROOT, OTHER]) == [ROOT]
