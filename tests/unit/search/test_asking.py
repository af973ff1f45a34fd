"""Questions to a real library: words, pictures, dates and what is not wanted."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cocadesk.errors import UserError
from cocadesk.library.library import Library
from cocadesk.library.rows import MediaChange, MediaKind, MediaRow, MediaState, ViewRow, new_key
from cocadesk.search import asking
from cocadesk.search.asking import MOST_TERMS, Asked, Asker, Found, Vector, count_of
from cocadesk.search.calibration import Calibrator
from cocadesk.search.found_by import FoundBy
from cocadesk.search.searcher import Searcher
from tests.support.fake_backend import FakeBackend, FakeInfo

IMAGE_ID = FakeInfo().image_id
COLOURS = {"red": (255, 0, 0), "green": (0, 255, 0), "blue": (0, 0, 255), "white": (255, 255, 255)}
TODAY = date(2026, 11, 30)


def picture(colour: str) -> Vector:
    """The vector of a photo of one colour."""
    rgb = np.asarray(COLOURS[colour], np.float32)
    return FakeBackend()._unit(rgb)


class World:
    """A library of photos of one colour each, and what it is asked."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self.asker = Asker(Searcher(library, FakeBackend()), self._picture_of)
        library.views.create(IMAGE_ID, 32)

    def _picture_of(self, path: str) -> Vector:
        if path not in COLOURS:
            raise UserError(f"Nothing can be like {path}.", "", "")
        return picture(path)

    def add(self, colour: str | None, name: str = "", **values: object) -> str:
        """A photo; without a colour it has not been read yet."""
        key = new_key()
        path = f"/photos/{name or key}.jpg" if "/" not in name else name
        row = MediaRow(
            key=key, root=b"/photos", path=os.fsencode(path), size_bytes=1, mtime_ns=1,
            file_hash="f", picture_hash="p", **values,  # type: ignore[arg-type]
        )  # fmt: skip
        if colour is not None:
            view = ViewRow(
                key=key, view=0, picture_hash="p", vector=picture(colour), root=b"/photos",
                folder_text="/photos/",
            )  # fmt: skip
            self.library.views.commit(IMAGE_ID, [view])
        self.library.media.commit([MediaChange(row=row, is_new=True)])
        return key

    def ask(self, text: str = "", limit: int = 20, **values: object) -> Found:
        """The answer today."""
        return self.asker.ask(Asked(text=text, today=TODAY, **values), limit)  # type: ignore[arg-type]

    def keys(self, text: str = "", **values: object) -> list[str]:
        """The keys of what is found."""
        return [hit.key for hit in self.ask(text, **values).hits]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """An empty library."""
    with Library.open(tmp_path / "library") as library:
        yield World(library)


def test_an_own_word_comes_before_what_pictures_show(world: World) -> None:
    """Tag, caption, name and folder, even of a photo that shows something else."""
    shown = [world.add("red") for _ in range(5)]
    by = {
        FoundBy.TAG: world.add("blue", human_tags_added=("red",)),
        FoundBy.CAPTION: world.add("blue", human_caption="Red!"),
        FoundBy.NAME: world.add("blue", "Red"),
        FoundBy.FOLDER: world.add("blue", "/photos/red/x.jpg"),
    }
    hits = world.ask("red").hits
    assert [hit.key for hit in hits[:4]] == list(by.values())
    assert {hit.key for hit in hits[4:9]} == set(shown)
    for hit, way in zip(hits, by, strict=False):
        assert hit.by[0] == way
    assert [hit.rank for hit in hits] == sorted((hit.rank for hit in hits), reverse=True)


def test_a_name_and_what_is_seen_find_the_photo_of_both(world: World) -> None:
    """Words that people use are looked for in words, the rest in pictures."""
    for colour in COLOURS:
        for _ in range(5):
            world.add(colour)
    ida_blue = world.add("blue", human_tags_added=("Ida",))
    ida_red = world.add("red", human_tags_added=("Ida",))
    assert world.keys("Ida in red")[0] == ida_red
    assert world.keys("ida blue")[0] == ida_blue


def test_what_has_not_been_read_yet_is_found_by_words(world: World) -> None:
    """And where no photo has, by words alone."""
    new = world.add(None, human_tags_added=("Ida",))
    assert world.keys("ida") == [new]
    world.add("red")
    assert world.keys("ida")[0] == new
    hit = world.ask("ida").hits[0]
    assert (hit.score, hit.by) == (0.0, (FoundBy.TAG,))


def test_an_edit_is_findable_at_once(world: World) -> None:
    """And what it took away is not."""
    for _ in range(3):
        world.add("red")
    key = world.add("blue", human_tags_added=("Ida",))
    assert world.keys("ida")[0] == key
    (row,) = world.library.media.rows([key])
    world.library.media.commit(
        [MediaChange(row=replace(row, title="Otto", path=b"/photos/otto.jpg"), is_new=False)]
    )
    assert world.ask("otto").hits[0].by[:1] == (FoundBy.TITLE,)


def test_what_is_not_wanted_goes_out_or_down(world: World) -> None:
    """Words take it out, pictures put it last."""
    red, blue, white = world.add("red"), world.add("blue"), world.add("white")
    tagged = world.add("white", human_tags_added=("blue",))
    keys = world.keys("white -blue")
    assert tagged not in keys
    assert keys[0] == white
    assert keys[-1] == blue
    assert world.keys("-blue")[-1] == blue
    assert set(world.keys("-blue")) == {red, blue, white}


def test_a_phrase_must_stand_in_words(world: World) -> None:
    """Only such media are found; a negated one takes them out."""
    world.add("red")
    key = world.add("blue", human_caption="the red car of Ida")
    other = world.add("blue", human_caption="car, red")
    assert world.keys('"red car"') == [key]
    assert set(world.keys('red -"red car"')) >= {other}
    assert key not in world.keys('red -"red car"')


def test_a_weight_counts_a_word_more(world: World) -> None:
    """Of two words that pull apart the heavier wins."""
    red, blue = world.add("red"), world.add("blue")
    assert world.keys("9:red blue")[0] == red
    assert world.keys("red 9:blue")[0] == blue
    ida, otto = (
        world.add("white", human_tags_added=("ida",)),
        world.add("white", human_tags_added=("otto",)),
    )
    assert world.keys("3:ida otto")[0] == ida
    assert world.keys("ida 3:otto")[0] == otto


def test_what_looks_like_a_picture(world: World) -> None:
    """A file, media by their keys, and the same with a text or turned round."""
    red, blue, green = world.add("red"), world.add("blue"), world.add("green")
    assert world.keys("like:red")[0] == red
    assert world.keys("-like:red")[-1] == red
    assert red not in world.keys(like=(red,))
    more_red = world.add("red")
    assert world.keys(like=(red,))[0] == more_red
    assert world.keys(like=(red, blue))[0] == more_red
    assert world.keys("green", unlike=(red,))[0] == green
    assert more_red == world.keys(unlike=(red,))[-1]
    with pytest.raises(UserError, match="like nowhere"):
        world.ask("like:nowhere")


def test_dates_in_words_are_filters_that_can_be_undone(world: World) -> None:
    """Where media are of that time; the answer says what was read."""
    old = world.add("red", taken_local=datetime(2016, 7, 3))
    new = world.add("red", taken_local=datetime(2024, 7, 3))
    found = world.ask("red summer 2016")
    assert [hit.key for hit in found.hits] == [old]
    assert [(read.text, str(read.filter)) for read in found.read_as] == [
        ("summer 2016", "taken:2016-06..2016-08")
    ]
    undone = world.ask("red summer 2016", as_words=("summer 2016",))
    assert {hit.key for hit in undone.hits} == {old, new}
    assert undone.read_as == ()
    assert world.ask("red summer 2011").read_as == ()
    assert world.keys("photos from 2016") == [old]
    assert not world.ask("photos from 2016").is_ranked


def test_a_date_that_is_an_own_word_stays_one(world: World) -> None:
    """A folder 2016 comes first, whenever its photos were taken."""
    world.add("red", taken_local=datetime(2016, 7, 3))
    folder = world.add("red", "/photos/2016/x.jpg", taken_local=datetime(2001, 1, 1))
    found = world.ask("2016")
    assert (found.hits[0].key, found.read_as) == (folder, ())


@pytest.mark.parametrize("text", ["a/b:c d", "-dog", 'say "no"', "2:1 won", "nope:x", "last week"])
def test_what_an_own_word_says_is_no_grammar(world: World, text: str) -> None:
    """A tag may look like a filter, a weight or a date."""
    for _ in range(3):
        world.add("red")
    key = world.add("blue", human_tags_added=(text,))
    assert world.keys(text)[0] == key


def test_what_the_model_cannot_read_is_said_and_found_by_words(world: World) -> None:
    """Another script, or another language."""
    for _ in range(3):
        world.add("red")
    key = world.add("blue", human_tags_added=("犬",))
    found = world.ask("犬")
    assert "cannot read “犬”" in found.note
    assert [hit.key for hit in found.hits] == [key]
    assert world.ask("собака").hits == []
    assert "German" in world.ask("ein Hund auf der Wiese").note
    assert world.ask("a dog on the grass").note == ""


class ManyLanguages(FakeBackend):
    """Knows red in Japanese."""

    def info(self) -> FakeInfo:
        return FakeInfo(is_multilingual=True)

    def embed_texts(self, texts: Sequence[str]) -> np.ndarray[Any, Any]:
        return super().embed_texts([text.replace("赤い", "red") for text in texts])


def test_a_model_of_many_languages_reads_other_scripts(world: World) -> None:
    """And nothing is said about what it does not know."""
    red, _ = world.add("red"), world.add("blue")
    asker = Asker(Searcher(world.library, ManyLanguages()), world._picture_of)
    found = asker.ask(Asked(text="赤い"), 10)
    assert (found.note, found.hits[0].key) == ("", red)
    assert asker.ask(Asked(text="ein Hund auf der Wiese"), 10).note == ""
    assert asker.ask(Asked(text="-赤い"), 10).hits[0].key != red


def test_ten_thousand_letters_answer(world: World) -> None:
    """Somebody pastes a letter."""
    world.add("red")
    text = "Dear Ida, in summer 2016 the red dog said: wau wau to -2 of us; " * 160
    assert len(world.ask(text).hits) == 1


def test_nothing_is_a_sentence(world: World) -> None:
    """Also spaces, and quotes around nothing."""
    for text in ("", "  ", '""'):
        with pytest.raises(UserError, match="nothing to search for"):
            world.ask(text)
    with pytest.raises(UserError, match="no filter"):
        world.ask("nope:x")


def test_forgetting_leaves_no_word(world: World, tmp_path: Path) -> None:
    """Neither in an answer nor in any file of the library."""
    world.add("red")
    key = world.add("red", human_tags_added=("unmistakable",))
    assert world.keys("unmistakable")[0] == key
    world.library.keep_snapshot()
    everything = world.library.media.identities()
    chosen = [one for one in everything if one.key == key]
    kept = [one for one in everything if one.key != key]
    forgetting = world.library.forgetting
    forgetting.run(forgetting.order(chosen, kept, []))
    assert key not in world.keys("unmistakable")
    for path in (tmp_path / "library").rglob("*"):
        assert path.is_dir() or b"unmistakable" not in path.read_bytes(), path


def test_one_of_many_that_share_its_words_comes_first(world: World) -> None:
    """A name of which a part stands in all names, in a list of one."""
    for number in range(120):
        world.add("red", f"DSC_{number:05d}", human_tags_added=("dsc",) if number == 7 else ())
    for number in (3, 90):
        (hit,) = world.ask(f"dsc_{number:05d}", limit=1).hits
        assert hit.path == f"/photos/DSC_{number:05d}.jpg".encode()
    (hit,) = world.ask("dsc", limit=1).hits
    assert hit.path == b"/photos/DSC_00007.jpg"


def test_only_what_cannot_be_read_is_not_judged(tmp_path: Path) -> None:
    """A query that looks like another language gets its note and probabilities as well."""
    backend = FakeBackend()
    words = Calibrator(lambda: backend.embed_texts([*COLOURS, "black", "yellow"]))
    with Library.open(tmp_path / "library") as library:
        judging = World(library)
        judging.asker = Asker(Searcher(library, backend, calibrator=words), judging._picture_of)
        judging.add("blue")
        for text in ("red", "ein Hund neben der red", "rojo y red entre los green"):
            (hit,) = judging.ask(text).hits
            assert hit.probability is not None, text
        assert "German" in judging.ask("ein Hund neben der red").note
        (hit,) = judging.ask("犬 red").hits
        assert hit.probability is None


@pytest.fixture
def judging(tmp_path: Path) -> Iterator[World]:
    """An empty library whose hits are judged."""
    backend = FakeBackend()
    words = Calibrator(lambda: backend.embed_texts([*COLOURS, "black", "yellow"]))
    with Library.open(tmp_path / "judging") as library:
        world = World(library)
        world.asker = Asker(Searcher(library, backend, calibrator=words), world._picture_of)
        yield world


def believed(found: Found) -> dict[str, bool]:
    """Whether each medium is said to fit."""
    return {hit.key: hit.is_relevant for hit in found.hits}


def test_one_own_word_of_several_is_not_all(judging: World) -> None:
    """The other words have to be seen, of the photos that hold the first."""
    park_red = judging.add("red", human_tags_added=("park",))
    park_blue = judging.add("blue", human_tags_added=("park",))
    red = judging.add("red")
    unread = judging.add(None, human_tags_added=("park",))
    found = judging.ask("red in the park")
    assert believed(found) == {park_red: True, park_blue: False, red: True, unread: True}
    likely = {hit.key: hit.probability for hit in found.hits}
    assert likely[unread] is None
    assert (likely[park_red] or 1) < 1
    judging.add("white", human_caption="a park of green")
    assert not believed(judging.ask("red in the park"))[park_blue]


def test_own_words_that_say_all_need_no_belief(judging: World) -> None:
    """In whatever order and fields; the beginning of a word is not the word."""
    both = judging.add("blue", human_tags_added=("park",), human_caption="Something red, I think")
    judging.add("blue", human_tags_added=("parking",))
    found = judging.ask("red in the park").hits
    assert [hit.probability for hit in found if hit.key == both] == [1]
    assert not any(hit.is_relevant for hit in judging.ask("parki").hits)


def test_words_in_quotes_need_no_belief(judging: World) -> None:
    """They stand there, in a suggested caption as well; without any the note says why."""
    held = judging.add("blue", machine_caption="Two girls in a water fountain")
    judging.add("blue", machine_caption="A fountain without water")
    assert believed(judging.ask('"water fountain"')) == {held: True}
    assert not any(believed(judging.ask("water fountain")).values())
    for text in ('"fire fountain"', '"fire fountain" -dog'):
        found = judging.ask(text)
        assert found.hits == []
        assert "“fire fountain”" in found.note
    assert "all of these" in judging.ask('"fire fountain" "water"').note
    assert judging.ask('"water fountain"').note == ""


def test_filters_that_nothing_passes_are_named(world: World) -> None:
    """Other words would not help; where something passes, they might."""
    world.add("red", human_tags_added=("park",))
    world.add("blue", kind=MediaKind.VIDEO)
    for text in ("dog tag:park kind:video", '"dog" tag:park kind:video'):
        found = world.ask(text)
        assert (found.hits, found.note) == (
            [],
            "No photo or video passes all of: tag:park kind:video.",
        )
    assert world.ask("dog tag:park").note == ""
    assert "“dog”" in world.ask('"dog" tag:park').note
    assert world.ask("dog -red tag:park").note == ""


def test_what_comes_first_is_believed(judging: World) -> None:
    """Also a folder of the very name."""
    folder = judging.add("blue", "/photos/red/x.jpg")
    other = judging.add("blue")
    hits = judging.ask("red").hits
    assert [hit.key for hit in hits] == [folder, other]
    assert [(hit.is_relevant, hit.probability == 1) for hit in hits] == [
        (True, True),
        (False, False),
    ]


def test_many_terms_are_one_question_to_the_model_and_too_many_are_cut_and_said(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thousands of -words would each look through the whole library."""
    key = world.add("red")
    asked: list[int] = []
    embed = FakeBackend.embed_texts

    def counted(self: FakeBackend, texts: Sequence[str]) -> Vector:
        asked.append(len(texts))
        return embed(self, texts)

    monkeypatch.setattr(FakeBackend, "embed_texts", counted)
    world.asker = Asker(Searcher(world.library, FakeBackend()), world._picture_of)
    assert world.keys("red " + " ".join(f"-word{n}" for n in range(MOST_TERMS))) == [key]
    assert asked == [MOST_TERMS + 1]
    for term in ("-word{}", "2:word{}", '-"two words{}"', "like:red"):
        asked.clear()
        many = " ".join(term.format(n) for n in range(MOST_TERMS + 100))
        found = world.ask(f"red {many}")
        assert [hit.key for hit in found.hits] == [key]
        assert f"only the first {MOST_TERMS} count" in found.note
        assert sum(asked) <= MOST_TERMS + 1
    assert world.ask("red -dog").note == ""
    assert world.keys(" ".join(["red"] * 500)) == [key]


class _ShortBackend(FakeBackend):
    """Reads three words of a text."""

    def fitting(self, text: str) -> str:
        return " ".join(text.split()[:3])


def test_a_text_longer_than_the_model_reads_is_said(world: World) -> None:
    """How much of it tells what pictures show; a model that does not tell says nothing."""
    key = world.add("red")
    text = "red dog in a field -sky"
    assert world.ask(text).note == ""
    asker = Asker(Searcher(world.library, _ShortBackend()), world._picture_of)
    found = asker.ask(Asked(text=text), 5)
    assert found.note == (
        "Only the first 3 words tell what pictures should show: the model reads no more."
    )
    assert [hit.key for hit in found.hits] == [key]
    assert asker.ask(Asked(text="red dog field"), 5).note == ""


def test_a_search_that_nobody_waits_for_ends(world: World) -> None:
    """Between one term and the next."""
    world.add("red")
    left = [3]

    def check() -> None:
        left[0] -= 1
        if not left[0]:
            raise RuntimeError("nobody waits")

    asker = Asker(Searcher(world.library, FakeBackend()), world._picture_of, check)
    with pytest.raises(RuntimeError, match="nobody waits"):
        asker.ask(Asked(text="red -green -blue -white -a -b -c", today=TODAY), 20)


def test_hits_are_judged_some_at_a_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """In their order, whatever their number."""
    keys = {world.add("red") for _ in range(5)}
    sizes: list[int] = []
    monkeypatch.setattr(asking, "_JUDGED_AT_ONCE", 2)
    monkeypatch.setattr(
        Searcher, "judged", lambda _self, hits, _text, _words: sizes.append(len(hits)) or hits
    )
    assert set(world.keys("red")) == keys
    assert sizes == [2, 2, 1]


def test_several_dates_and_dates_that_are_not_wanted(world: World) -> None:
    """A photo is of one of them; a year of which nothing is shown stays a word."""
    keys = {year: world.add("red", taken_local=datetime(year, 7, 3)) for year in (2014, 2015, 2016)}
    gone = {"state": MediaState.MISSING}, {"human_hidden": True}
    for year, values in zip((2011, 2012), gone, strict=True):
        world.add("red", taken_local=datetime(year, 7, 3), **values)
    assert set(world.keys("2014 or 2015")) == {keys[2014], keys[2015]}
    assert set(world.keys("red not 2014")) == {keys[2015], keys[2016]}
    assert set(world.keys("not 2014")) == {keys[2015], keys[2016]}
    for year in (2011, 2012):
        found = world.ask(f"red {year}")
        assert found.read_as == ()
        assert len(found.hits) == len(keys)
    assert world.ask("red 2011 state:missing").read_as


def test_a_count_is_of_what_a_search_ranks(world: World) -> None:
    """Dates in words, phrases and what is not wanted count; other words only rank."""
    tagged = world.add("red", human_tags_added=("big car",), taken_local=datetime(2014, 7, 3))
    world.add("blue", taken_local=datetime(2015, 7, 3))
    world.add("blue", taken_local=datetime(2014, 7, 3), human_hidden=True)
    rows = world.library.results
    counts = {"red": 2, "red 2014": 1, "red not 2014": 1, "red 1999": 2, '"big car"': 1}
    counts |= {'red -"big car" 2014': 0, "red -car": 1, "2014 or 2015": 2, "hidden:yes": 1}
    assert {text: count_of(rows, text) for text in counts} == counts
    assert {text: len(world.keys(text)) for text in counts} == counts
    assert world.keys("red 2014") == [tagged]
