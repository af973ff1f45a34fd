"""Groups in memory: what they show of lists, in which order they come, and their file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cocadesk.library.groups import BURST, EXACT, SAME, Compared, Groups, MediaGroups
from cocadesk.library.key_numbers import KeyList, KeyNumbers

KEYS = [f"{number:026d}" for number in range(8)]
SIZES = (5, 9, 9, 3, 4, 100, 1, 1)
# 0 and 1 are copies and, with 2, one picture; with 3 a burst. 5 and 6 are one picture.
LINKS = ((0, 1, EXACT), (1, 2, SAME), (2, 3, BURST), (5, 6, SAME))


def compared() -> Compared:
    """Eight media and their links."""
    links = np.array(LINKS, np.int32)
    media = Compared.of(
        np.array([key.encode() for key in KEYS], "S26"),
        np.full(8, 3, np.uint64),
        np.array(SIZES, np.int64),
    )
    return Compared(
        keys=media.keys, marks=media.marks, sizes=media.sizes, prints=media.prints,
        sharpness=media.sharpness, pairs=links[:, :2], labels=links[:, 2].astype(np.uint8),
        left=np.zeros(len(links), np.float32),
    )  # fmt: skip


@pytest.fixture
def groups() -> MediaGroups:
    """Their groups."""
    return MediaGroups.of(compared())


def test_groups_of_a_label_come_with_the_most_spare_bytes_first(groups: MediaGroups) -> None:
    """The largest file of each is not spare; all of them: each medium once."""
    by_label = {
        label: [groups.key(first) for first in groups.of_label(label).tolist()]
        for label in (EXACT, SAME, BURST, None)
    }
    assert by_label == {
        EXACT: [KEYS[0]],
        SAME: [KEYS[0], KEYS[5]],
        BURST: [KEYS[0]],
        None: [KEYS[0], KEYS[5]],
    }
    assert groups.spare_bytes(BURST)[groups.places([KEYS[0]])].tolist() == [17]
    first_of_pair = int(groups.places([KEYS[5]])[0])
    assert groups.label_of(first_of_pair) == SAME
    members = groups.members(BURST, int(groups.places([KEYS[0]])[0]))
    assert [groups.key(place) for place in members.tolist()] == KEYS[:4]


@pytest.mark.parametrize(
    ("level", "wanted"),
    [
        (EXACT, [(KEYS[3], 0), (KEYS[1], 1), (KEYS[7], 0), (KEYS[2], 0), (KEYS[6], 0)]),
        (SAME, [(KEYS[3], 0), (KEYS[1], 2), (KEYS[7], 0), (KEYS[6], 0)]),
        (BURST, [(KEYS[3], 3), (KEYS[7], 0), (KEYS[6], 0)]),
    ],
)
@pytest.mark.parametrize("is_numbered", [True, False])
def test_the_first_of_each_group_in_a_list_stands_for_the_others(
    groups: MediaGroups, level: int, wanted: list[tuple[str, int]], is_numbered: bool
) -> None:
    """In the list's order, for those that are in it; unknown keys stand for themselves."""
    shown = [KEYS[3], KEYS[1], "stranger", KEYS[7], KEYS[0], KEYS[2], KEYS[6]]
    keys = shown if not is_numbered else [key for key in shown if key != "stranger"]
    if is_numbered:
        numbers = KeyNumbers()
        numbers.add(["another", *KEYS])
        listed = KeyList(numbers, numbers.numbers(keys))
        places = groups.places_in(listed)
        assert groups.places_in(listed).tolist() == places.tolist()
        assert places.tolist() == groups.places(keys).tolist()
    first, copies = groups.first_of_each(groups.places_in(keys), level)
    found = [(keys[p], n) for p, n in zip(first.tolist(), copies.tolist(), strict=True)]
    assert [one for one in found if one[0] != "stranger"] == wanted


def test_the_file_gives_back_what_was_written_and_follows_decisions(tmp_path: Path) -> None:
    """Another reader sees it; what another model compared counts for nothing."""
    writer, reader = Groups(tmp_path), Groups(tmp_path)
    assert reader.current().keys.size == 0
    assert not writer.set_apart({(KEYS[0], KEYS[1])})
    writer.write(compared(), "model")
    assert reader.current().compared == 8
    assert reader.current() is reader.current()
    assert writer.compared("other").keys.size == 0
    assert writer.compared("model").pairs.tolist() == [list(link[:2]) for link in LINKS]
    former = writer.outdated()
    assert former.former.tolist() == [list(link[:2]) for link in LINKS]
    anew = MediaGroups.of(former)
    assert (anew.compared, anew.keys.tolist()) == (0, reader.current().keys.tolist())
    assert former.only(former.keys != KEYS[1].encode()).former.tolist() == [[1, 2], [4, 5]]
    assert writer.set_apart({(KEYS[5], KEYS[6])})
    assert not writer.set_apart({(KEYS[5], KEYS[6]), (KEYS[0], "gone" + KEYS[1][4:])})
    assert reader.current().places(KEYS[5:7]).tolist() == [-1, -1]
    assert writer.set_apart(set())
    assert reader.current().places(KEYS[5:7]).min() >= 0


def test_what_is_erased_leaves_the_file_and_its_groups(tmp_path: Path) -> None:
    """Its links go; those that it joined are apart then."""
    groups = Groups(tmp_path)
    groups.erase(KEYS[:1])
    groups.write(compared(), "model")
    groups.erase([KEYS[2], KEYS[6]])
    found = groups.current()
    assert [found.key(place) for place in range(len(found.keys))] == KEYS[:2]
    data = next(tmp_path.iterdir()).read_bytes()
    assert KEYS[2].encode() not in data
    assert KEYS[7].encode() in data


def test_ten_thousand_groups_are_listed_a_page_at_a_time() -> None:
    """None is left out and none comes twice."""
    count = 30_000
    keys = np.array([f"{number:026d}".encode() for number in range(count)], "S26")
    media = Compared.of(keys, np.zeros(count, np.uint64), np.arange(count) % 977)
    firsts = np.arange(0, count, 3)
    pairs = np.concatenate([np.stack([firsts, firsts + n], axis=1) for n in (1, 2)])
    groups = MediaGroups.of(
        Compared(
            keys=keys, marks=media.marks, sizes=media.sizes, prints=media.prints,
            sharpness=media.sharpness, pairs=pairs.astype(np.int32),
            labels=np.full(len(pairs), SAME, np.uint8),
        )
    )  # fmt: skip
    listed = groups.of_label(SAME)
    assert sorted(listed.tolist()) == firsts.tolist()
    assert (np.diff(groups.spare_bytes(SAME)[listed]) <= 0).all()
    assert groups.members(SAME, int(listed[-1])).tolist() == [int(listed[-1]) + n for n in range(3)]
