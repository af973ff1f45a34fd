"""Numbers of lists, folders, places and persons: those of the lists that their queries open."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from cocadesk.library.library import Library, Sizes
from cocadesk.library.paths import fold
from cocadesk.library.rows import ALBUM, Edit, MediaKind, MediaRow, MediaState, Tag, new_key
from cocadesk.search.branches import Branch
from cocadesk.search.filters import parse_filter, unless_missing
from cocadesk.search.matching import newest_keys
from cocadesk.search.overview import RECENT, Overview
from tests.support.library_rows import insert, media_row

TODAY = date(2026, 3, 10)
FOLDERS = (
    b"/photos", b"/photos/2014", b"/photos/2014/Birthday", b"/photos/2014/birthday",
    b"/photos/2014/Birthdays", b"/photos/10", b"/photos/9", b'/photos/a "b", c', b"/photos/-x",
    b"/photos/caf\xe9", "/photos/Ärger/🐶".encode(), "/photos/שלום".encode(), b"/photos 2",
)  # fmt: skip
PLACES = (
    ("Italia", "Toscana", "Siena"), ("ITALIA", "Lazio", "Roma"), ("Italia", None, "Roma"),
    ("Italia", None, None), (None, "Toscana", None), (None, None, "Siena"), (None, None, None),
    ("Singapore", "", "Singapore"), ("Côte d'Ivoire", 'a "b", c', "x:y"),
)  # fmt: skip
PERSONS = ((), ("Ida",), ("ida", "Ömer"), ('Jo "J" Doe, Jr.',), ("ÅSA", "Åsa"))
ALBUMS = {f"01BBBBBBBBBBBBBBBBBBBBBBB{n}": f"Album {n}" for n in range(8)}


def random_row(rng: random.Random) -> MediaRow:
    """A medium somewhere, of any state."""
    country, region, place = rng.choice(PLACES)
    albums = tuple(album for album in ALBUMS if rng.random() < 0.2)
    key = new_key()
    return media_row(
        key.encode(),
        key=key,
        path=rng.choice(FOLDERS) + b"/" + key.encode() + b".jpg",
        kind=rng.choice(list(MediaKind)),
        state=rng.choice([*MediaState, MediaState.PRESENT, MediaState.PRESENT]),
        country=country,
        region=region,
        place=place,
        persons=rng.choice(PERSONS),
        added_utc=datetime(2026, 3, 10, tzinfo=UTC) - timedelta(days=rng.randint(0, 60)),
        machine_caption=rng.choice([None, "", "a dog"]),
        human_caption=rng.choice([None, "", "my dog"]),
        human_favourite=rng.choice([None, True]),
        human_flag=rng.choice([None, "pick", "reject"]),
        human_hidden=rng.choice([None, None, True]),
        human_tags_added=rng.choice([(), ("dog",), ("Dog", "a/b"), ("a/b",)]),
        machine_tags=rng.choice([(), (Tag(tag="dog", score=0.9), Tag(tag="cat", score=0.8))]),
        human_albums=albums,
        human_places=tuple(f"{rng.randint(1, 10**11):012}" for _ in albums),
    )


@pytest.fixture(params=[Sizes(), Sizes(memory_rows=0)], ids=["in memory", "in the store"])
def library(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Library]:
    """An empty library with two folders, whose media fit into memory or do not."""
    with Library.open(tmp_path / "library", sizes=request.param) as opened:
        with monkeypatch.context() as patched:
            patched.setattr(Path, "is_dir", lambda _path: True)
            opened.roots.add(b"/photos")
            opened.roots.add(b"/photos 2")
        yield opened


def listed(library: Library, query: str) -> int:
    """The length of the list that a query opens."""
    return len(newest_keys(library, unless_missing(parse_filter(query))))


def all_branches(overview: Overview, kind: str, under: str = "") -> Iterator[Branch]:
    """Each branch of a kind, and all in it."""
    found, total = overview.branches(kind, under)
    assert total == len(found)
    for branch in found:
        yield branch
        inside = list(all_branches(overview, kind, branch.id))
        assert branch.below == sum(one.id.startswith(branch.id) for one in direct(inside, branch))
        yield from inside


def direct(inside: Sequence[Branch], above: Branch) -> list[Branch]:
    """Those that are not in one of the others."""
    ids = [one.id for one in inside]
    return [one for one in inside if not any(o != one.id and is_in(one.id, o) for o in ids)]


def is_in(inner: str, outer: str) -> bool:
    """True for the id of a branch that lies in another."""
    return inner.startswith(outer if outer.endswith("/") else f"{outer}\x1f")


def say_albums(library: Library) -> None:
    """Gives the albums their names."""
    now = datetime(2026, 3, 1, tzinfo=UTC)
    library.edits.record(
        [
            Edit(
                batch=album, key=album, who="person", when=now, field=ALBUM, old="null",
                new=json.dumps(name),
            )
            for album, name in ALBUMS.items()
        ]
    )  # fmt: skip


def test_each_number_is_that_of_the_list_that_a_click_opens(library: Library) -> None:
    """Of random media, while more come and some go."""
    rng = random.Random(3)
    overview = Overview(library, today=lambda: TODAY)
    say_albums(library)
    rows: list[MediaRow] = []
    for step in range(4):
        if step == 3:
            library.media.set_state([row.key for row in rows[:20]], MediaState.MISSING, None)
        else:
            more = [random_row(rng) for _ in range(60)]
            insert(library, *more)
            rows += more
        for one in overview.standard():
            assert one.count == listed(library, one.query), one
        for kind in ("folder", "place", "person", "album", "tag"):
            found = list(all_branches(overview, kind))
            assert found
            for branch in found:
                assert branch.count == listed(library, branch.query), branch


def test_recent_media_are_those_of_thirty_days(library: Library) -> None:
    """Today is one of them."""
    for days in (0, 29, 30):
        added = datetime(2026, 3, 10, 12, tzinfo=UTC) - timedelta(days=days)
        insert(library, media_row(f"{days}".encode(), added_utc=added))
    overview = Overview(library, today=lambda: TODAY)
    counts = {one.name: one.count for one in overview.standard()}
    assert counts[RECENT] == 2
    assert counts["all"] == 3


def test_folders_are_known_by_their_names_on_the_disk(library: Library) -> None:
    """Numbers count as such; case does not, as in the filter; bytes that are no text are kept."""
    for folder in FOLDERS:
        insert(library, media_row(folder.hex().encode(), path=folder + b"/x.jpg"))
    overview = Overview(library)
    roots, _ = overview.branches("folder")
    assert [(one.name, one.path, one.count) for one in roots] == [
        ("photos", b"/photos", 12),
        ("photos 2", b"/photos 2", 1),
    ]
    inside, _ = overview.branches("folder", roots[0].id)
    names = [os.fsencode(one.name) for one in inside]
    assert names == [b"9", b"10", b"2014", b"-x", b'a "b", c', "Ärger".encode(), b"caf\xe9",
                     "שלום".encode()]  # fmt: skip
    assert inside[6].path == b"/photos/caf\xe9"
    year = next(one for one in inside if one.name == "2014")
    below, _ = overview.branches("folder", year.id)
    assert [(fold(one.name), one.count) for one in below] == [("birthday", 2), ("birthdays", 1)]


def test_a_folder_counts_as_offline_once_all_of_it_is(library: Library) -> None:
    """One photo that is there is enough."""
    away, here = media_row(b"away", path=b"/photos/a/x"), media_row(b"here", path=b"/photos/b/y")
    insert(library, away, here)
    library.media.set_state([away.key], MediaState.OFFLINE, "unplugged")
    overview = Overview(library)
    roots, _ = overview.branches("folder")
    assert not roots[0].is_offline
    inside, _ = overview.branches("folder", roots[0].id)
    assert [(one.name, one.is_offline) for one in inside] == [("a", True), ("b", False)]


def test_folders_without_media_are_there_as_long_as_they_are_looked_into(
    library: Library,
) -> None:
    """What a person added is shown at once; a folder in it only with media."""
    overview = Overview(library)
    assert [(one.name, one.count) for one in overview.branches("folder")[0]] == [
        ("photos", 0),
        ("photos 2", 0),
    ]
    row = media_row(b"x", path=b"/photos/new/x")
    insert(library, row)
    assert [one.below for one in overview.branches("folder")[0]] == [1, 0]
    library.media.set_state([row.key], MediaState.MISSING, None)
    assert [one.below for one in overview.branches("folder")[0]] == [0, 0]


def test_branches_come_a_stretch_at_a_time(library: Library) -> None:
    """With the number of all; the stretches together are all of them."""
    insert(library, *(media_row(b"%d" % n, path=b"/photos/f%d/x" % n) for n in range(25)))
    overview = Overview(library)
    root = overview.branches("folder")[0][0]
    names = []
    for start in range(0, 30, 10):
        found, total = overview.branches("folder", root.id, start, 10)
        assert total == 25
        names += [one.name for one in found]
    assert names == [f"f{n}" for n in range(25)]


def test_very_deep_folders_are_opened_one_by_one(library: Library) -> None:
    """Deeper than Python's own limit of calls."""
    deep = b"/photos" + b"/d" * 1500
    insert(library, media_row(b"x", path=deep + b"/x"))
    overview = Overview(library)
    branch, depth = overview.branches("folder")[0][0], 0
    while branch.below:
        branch, depth = overview.branches("folder", branch.id)[0][0], depth + 1
    assert (depth, branch.path, branch.count) == (1500, deep, 1)


def test_unknown_branches_hold_nothing(library: Library) -> None:
    """What has gone meanwhile is no error."""
    overview = Overview(library)
    for kind in ("folder", "place", "person", "album", "tag", "search"):
        assert overview.branches(kind, "/nowhere/") == ([], 0)


def test_lists_are_counted_anew_only_where_something_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the store counts, whose versions are numbers: each asking makes a new one."""
    with Library.open(tmp_path / "library", sizes=Sizes(memory_rows=0)) as library:
        insert(library, random_row(random.Random(1)))
        overview = Overview(library, today=lambda: TODAY)
        monkeypatch.setattr(library.results, "version", lambda: int("1000"))
        assert overview.standard() is overview.standard()
        monkeypatch.setattr(library.results, "version", lambda: int("1001"))
        before = overview.standard()
        assert before is overview.standard()
