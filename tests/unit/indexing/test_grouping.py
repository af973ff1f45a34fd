"""Same pictures of a library: found, kept up to date, and forgotten."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from cocadesk.annotations.groups import MOST_APART, GroupEditor
from cocadesk.annotations.human import HumanAnnotations
from cocadesk.errors import UserError
from cocadesk.indexing.grouping import group_steps
from cocadesk.indexing.types import GroupingStage
from cocadesk.library.edits import apart_pairs
from cocadesk.library.groups import EXACT, SAME
from cocadesk.library.layout import GROUPS_NAME
from cocadesk.library.library import Library
from cocadesk.library.rows import MediaState
from tests.support.fake_backend import FakeInfo
from tests.support.found_bytes import found_in
from tests.support.index_tools import row_at, run_index, write_photo
from tests.support.library_rows import insert, media_row
from tests.support.named_groups import group, groups, names_of
from tests.support.scenes import cropped, moved, photos_and_copies, save, scene

IMAGE_ID = FakeInfo().image_id


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with copies, same pictures and a burst."""
    return photos_and_copies(tmp_path / "photos")


@pytest.fixture
def library(tmp_path: Path, photos: Path) -> Iterator[Library]:
    """A library of them, not compared yet."""
    with Library.open(tmp_path / "library") as library:
        run_index(library, [photos])
        yield library


TWICE = frozenset({"twice.jpg", "twice (copy).jpg"})
ONE_PICTURE = frozenset({"whole.jpg", "small.jpg", "other format.png", "cropped.jpg"})
ONE_BURST = frozenset({"burst-1.jpg", "burst-2.jpg", "burst-3.jpg"})


def test_each_label_has_its_groups_and_what_is_alone_has_none(library: Library) -> None:
    """Neighbours in time that show something else are no burst."""
    report = group(library)
    assert (report.compared, report.exact, report.same, report.burst) == (11, 1, 1, 1)
    assert groups(library, EXACT) == {TWICE}
    assert groups(library, SAME) == {TWICE, ONE_PICTURE}
    assert groups(library) == {ONE_BURST, TWICE, ONE_PICTURE}


def test_a_later_index_adds_to_groups_without_comparing_everything_again(
    library: Library, photos: Path
) -> None:
    """Only what is new is compared; so is a photo that was edited, which leaves its group."""
    group(library)
    save(cropped(scene(2), 0.06), photos / "late.jpg", quality=80)
    save(scene(9), photos / "small.jpg")
    run_index(library, [photos])
    assert group(library).compared == 2
    assert groups(library, SAME) == {TWICE, ONE_PICTURE - {"small.jpg"} | {"late.jpg"}}
    assert group(library).compared == 0
    assert len(groups(library)) == 3


@pytest.mark.parametrize("change", ["deleted", "edited", "away"])
def test_the_next_copy_stands_in_for_a_first_one_that_goes(
    library: Library, photos: Path, change: str
) -> None:
    """What was the same as it is so as its copy; nothing but that is compared anew."""
    shutil.copy(photos / "whole.jpg", photos / "whole (copy).jpg")
    run_index(library, [photos])
    group(library)
    assert groups(library, SAME) == {TWICE, ONE_PICTURE | {"whole (copy).jpg"}}
    if change == "edited":
        save(scene(77), photos / "whole.jpg")
    elif change == "deleted":
        (photos / "whole.jpg").unlink()
    else:
        library.media.set_state([row_at(library, photos / "whole.jpg").key], MediaState.MISSING, "")
    if change != "away":
        run_index(library, [photos])
    assert group(library).compared == 1 + (change == "edited")
    left = ONE_PICTURE - {"whole.jpg"} | {"whole (copy).jpg"}
    assert groups(library, SAME) == {TWICE, left}
    assert group(library).compared == 0
    assert group(library, again=True).compared == 12 - (change != "edited")
    assert groups(library, SAME) == {TWICE, left}


def test_groups_stay_until_a_comparison_of_all_is_whole(library: Library) -> None:
    """A run that was stopped takes none away; what was set apart meanwhile is followed."""
    group(library)
    wanted = groups(library)
    steps = group_steps(library, IMAGE_ID, again=True, commit_every_s=0)
    stages = [next(steps).stage for _ in range(3)]
    assert stages == [GroupingStage.READ, GroupingStage.SEARCH, GroupingStage.SEARCH]
    steps.close()
    assert groups(library) == wanted
    assert library.results.groups.current().compared < 11
    one, other = sorted(key for key, name in names_of(library).items() if name in TWICE)
    assert library.results.groups.set_apart({(one, other)})
    assert groups(library) == wanted - {TWICE}
    library.results.groups.set_apart(set())
    group(library)
    assert groups(library) == wanted
    assert not len(library.results.groups.compared(IMAGE_ID).former)


def test_a_comparison_killed_anywhere_is_made_up_for(library: Library) -> None:
    """Whatever was written by then; the next one goes on from there."""
    whole = group(library).compared
    wanted = groups(library)
    path = library.folder / GROUPS_NAME
    ends = 0
    for stop in range(1, 40):
        path.unlink()
        steps = group_steps(library, IMAGE_ID, commit_every_s=0)
        for _ in range(stop):
            if next(steps, None) is None:
                ends += 1
                break
        steps.close()
        rest = group(library).compared
        assert rest <= whole
        assert groups(library) == wanted
        if ends:
            break
    assert ends


def test_a_damaged_file_of_groups_is_made_anew(library: Library) -> None:
    """Until then there are no groups, and nobody fails."""
    group(library)
    wanted, path = groups(library), library.folder / GROUPS_NAME
    path.write_bytes(path.read_bytes()[:-9] + bytes(9))
    assert groups(library) == set()
    group(library)
    assert groups(library) == wanted
    path.write_bytes(b"")
    assert groups(library) == set()


def test_a_missing_file_leaves_its_group_and_one_on_a_disk_that_is_away_stays(
    library: Library, photos: Path
) -> None:
    """The next comparison sees it."""
    group(library)
    away, gone = (row_at(library, photos / name).key for name in ("cropped.jpg", "small.jpg"))
    library.media.set_state([away], MediaState.OFFLINE, "")
    library.media.set_state([gone], MediaState.MISSING, "")
    group(library)
    assert groups(library, SAME) == {TWICE, ONE_PICTURE - {"small.jpg"}}


def test_forgetting_a_medium_leaves_nothing_of_it_in_groups(library: Library, photos: Path) -> None:
    """Neither its key in the file, nor that somebody set another one apart from it."""
    group(library)
    gone, stays = (row_at(library, photos / name) for name in ("cropped.jpg", "small.jpg"))
    GroupEditor(library, HumanAnnotations(library)).set_apart([gone.key, stays.key])
    key = {"key": gone.key.encode()}
    assert GROUPS_NAME in str(found_in(key, library.folder))
    chosen = [one for one in library.media.identities() if one.key == gone.key]
    kept = [one for one in library.media.identities() if one.key != gone.key]
    library.forgetting.run(library.forgetting.order(chosen, kept, []))
    assert found_in(key, library.folder) == {"key": set()}
    assert groups(library, SAME) == {TWICE, ONE_PICTURE - {"cropped.jpg"}}


def test_a_decision_while_groups_are_written_is_not_lost(library: Library) -> None:
    """Neither the groups nor the decision: one is written after the other."""
    done = threading.Event()

    def compare() -> None:
        group(library)
        done.set()

    with library.writing():
        thread = threading.Thread(target=compare)
        thread.start()
        assert not done.wait(1)
        keys = sorted(key for key, name in names_of(library).items() if name in TWICE)
        GroupEditor(library, HumanAnnotations(library)).set_apart(keys)
        assert not library.results.groups.set_apart(apart_pairs(library.edits))
    thread.join()
    assert groups(library) == {ONE_BURST, ONE_PICTURE}


def test_very_many_media_are_not_set_apart_at_once(tmp_path: Path) -> None:
    """Of a thousand there would be half a million pairs in the log; a hundred are fine."""
    with Library.open(tmp_path / "library") as library:
        insert(library, *(media_row(b"%03d" % n) for n in range(MOST_APART + 1)))
        keys = sorted(row.key for row in library.media.iter_rows())
        editor = GroupEditor(library, HumanAnnotations(library))
        with pytest.raises(UserError, match="101 photos are too many"):
            editor.set_apart(keys)
        assert not library.edits.of_apart()
        assert len(editor.set_apart(keys[1:]).keys) == MOST_APART


def test_other_vectors_or_the_wish_compare_everything_anew(library: Library) -> None:
    """What was compared by another model's vectors counts for nothing."""
    group(library)
    assert group(library, again=True).compared == 11
    assert library.results.groups.compared("another-model").keys.size == 0
    assert groups(library) == {ONE_BURST, TWICE, ONE_PICTURE}


@pytest.mark.parametrize(
    ("seconds", "is_near", "label"),
    [
        ((0, 0), False, {"same"}),  # one was saved anew
        ((0, None), False, {"same"}),  # and lost its metadata
        ((0, 1), False, {"burst"}),  # a tripod: nothing moved in a second
        ((0, 4), True, {"burst"}),
        ((0, 90), True, set()),
        ((0, 90), False, set()),
        ((None, None), True, set()),
    ],
)
def test_time_tells_a_save_from_a_moment(
    tmp_path: Path,
    seconds: tuple[float | None, float | None],
    is_near: bool,
    label: set[str],
) -> None:
    """Pictures of other times are never the same, however alike."""
    first, second = (moved(scene(31), share) for share in (0.0, 0.03 if is_near else 0.0))
    save(first, tmp_path / "photos" / "a.jpg", seconds=seconds[0])
    save(second, tmp_path / "photos" / "b.jpg", seconds=seconds[1], quality=75)
    with Library.open(tmp_path / "library") as library:
        run_index(library, [tmp_path / "photos"])
        report = group(library)
    assert {name for name in ("same", "burst") if getattr(report, name)} == label


# Histories ----------------------------------------------------------------------------

_KINDS = {
    "whole": lambda picture: picture,
    "small": lambda picture: picture.resize((320, 240)),
    "crop": lambda picture: cropped(picture, 0.08),
    "copy": lambda picture: picture,  # the same bytes as the whole
    "twin": lambda picture: picture,
}
_FILES = [f"{kind}-{number}.jpg" for kind in _KINDS for number in (41, 42)]
_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.sampled_from(_FILES)),
        st.tuples(st.just("remove"), st.sampled_from(_FILES)),
        st.tuples(st.just("apart"), st.tuples(st.sampled_from(_FILES), st.sampled_from(_FILES))),
        st.tuples(st.just("undo"), st.just("")),
        st.tuples(st.just("compare"), st.just("")),
    ),
    min_size=3,
    max_size=10,
)


class _History:
    """A library whose files come and go, beside the plain rules of what belongs together."""

    def __init__(self, base: Path, sources: Path) -> None:
        self.photos, self._sources = base / "photos", sources
        self.photos.mkdir()
        self.there: set[str] = set()
        self.apart: list[frozenset[str]] = []
        write_photo(self.photos / "other.jpg", 7)
        self.library = Library.open(base / "library")
        self.annotations = HumanAnnotations(self.library)
        self._is_stale = True

    def index(self) -> None:
        """The library sees the files that came and went."""
        if self._is_stale:
            run_index(self.library, [self.photos])
        self._is_stale = False

    def write(self, name: str) -> None:
        """A file comes."""
        shutil.copy(self._sources / name, self.photos / name)
        self.there.add(name)
        self._is_stale = True

    def remove(self, name: str) -> None:
        """A file goes."""
        (self.photos / name).unlink(missing_ok=True)
        self.there.discard(name)
        self._is_stale = True

    def set_apart(self, names: tuple[str, str]) -> None:
        """A person says that two files do not belong together."""
        pair = frozenset(names)
        if len(pair) < 2 or not pair <= self.there:
            return
        self.index()
        keys = [row_at(self.library, self.photos / name).key for name in sorted(pair)]
        change = GroupEditor(self.library, self.annotations).set_apart(keys)
        if change.title:
            self.apart.append(pair)

    def undo(self) -> None:
        """The last decision is taken back."""
        if self.apart:
            self.apart.pop()
            self.annotations.undo()

    def wanted(self) -> list[set[str]]:
        """For each scene, the files that may be in one group."""
        return [{name for name in self.there if number in name} for number in ("41", "42")]

    def compare(self) -> None:
        """What has come is compared: groups follow the rules, as if all were found anew."""
        self.index()
        group(self.library)
        found = groups(self.library)
        for own in found:
            assert any(own <= scene_files for scene_files in self.wanted())
            assert not any(frozenset(pair) in self.apart for pair in combinations(own, 2))
        is_apart = set().union(*self.apart)
        for scene_files in self.wanted():
            if len(scene_files) > 1 and not scene_files & is_apart:
                assert scene_files in found
        group(self.library, again=True)
        assert groups(self.library) == found


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two scenes, each whole, small and cropped."""
    folder = tmp_path_factory.mktemp("sources")
    for name in _FILES:
        kind, _, number = name.removesuffix(".jpg").partition("-")
        picture: Image.Image = _KINDS[kind](scene(int(number), (480, 360)))
        save(picture, folder / name, quality=88)
    return folder


@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=_STEPS)
def test_groups_follow_any_history_as_if_all_were_found_anew(
    tmp_path_factory: pytest.TempPathFactory, sources: Path, steps: list[tuple[str, str]]
) -> None:
    """Files come and go, people set them apart and take it back, jobs run in between."""
    history = _History(tmp_path_factory.mktemp("history"), sources)
    try:
        for verb, what in steps:
            if verb == "write":
                history.write(what)
            elif verb == "remove":
                history.remove(what)
            elif verb == "apart":
                history.set_apart((what[0], what[1]))
            elif verb == "undo":
                history.undo()
            else:
                history.compare()
        history.compare()
    finally:
        history.library.close()
