"""What words find, against the same rules written out medium by medium."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cocadesk.library.parts import Part, PartRole
from cocadesk.library.paths import fold, fold_path
from cocadesk.library.rows import MediaRow, Tag, new_key
from cocadesk.library.words import words_of
from cocadesk.search import word_search
from cocadesk.search.found_by import FoundBy, Told
from cocadesk.search.seen_words import seen_words
from cocadesk.search.stop_words import STOP_WORDS
from cocadesk.search.word_search import WORD_COLUMNS, WORD_FIELDS, WordSearch
from tests.support.columns import columns_of

CALLED_AFTER = (FoundBy.NAME, FoundBy.FOLDER, FoundBy.PLACE, FoundBy.CAMERA)
LYING_IN = (FoundBy.FOLDER, FoundBy.PLACE, FoundBy.CAMERA)
ALBUMS = {"01A": "Summer in Rome", "01B": "best of Ida"}
WORDS = "ida Ida IDAS dog dogs the on swing rome summer best of 2014 new york müller Muller"
WORD = st.sampled_from(WORDS.split())
PHRASE = st.lists(WORD, min_size=1, max_size=3).map(" ".join)
NAME = st.sampled_from(
    ["ida.jpg", "IMG_0001.JPG", "IMG_0001.png", "dog", "dog.tar.gz", "2014.jpg", "new york.jpeg"]
)
FOLDER = st.sampled_from(["/photos", "/photos/Ida", "/photos/rome/dog", "/photos/Summer 2014"])


@st.composite
def media(draw: st.DrawFn) -> MediaRow:
    """A medium with some words."""
    return MediaRow(
        key=new_key(),
        root=b"/photos",
        path=os.fsencode(f"{draw(FOLDER)}/{draw(NAME)}"),
        size_bytes=1,
        mtime_ns=1,
        file_hash="f",
        picture_hash="p",
        title=draw(st.none() | PHRASE),
        description=draw(st.none() | PHRASE),
        keywords=tuple(draw(st.lists(PHRASE, max_size=2))),
        persons=tuple(draw(st.lists(PHRASE, max_size=1))),
        place=draw(st.none() | PHRASE),
        camera=draw(st.none() | PHRASE),
        machine_caption=draw(st.none() | PHRASE),
        machine_tags=tuple(Tag(tag=tag, score=1) for tag in draw(st.lists(WORD, max_size=2))),
        human_caption=draw(st.none() | PHRASE),
        human_tags_added=tuple(draw(st.lists(PHRASE, max_size=2))),
        human_albums=tuple(albums := draw(st.lists(st.sampled_from(list(ALBUMS)), max_size=1))),
        human_places=("500000000000",) * len(albums),
    )


def said(row: MediaRow) -> dict[FoundBy, list[str]]:
    """The texts of each field of a medium."""
    own = [row.human_caption] if row.human_caption else []
    path = fold_path(os.fsdecode(row.path))
    fields: dict[FoundBy, Sequence[str | None]] = {
        FoundBy.TAG: row.human_tags_added,
        FoundBy.PERSON: row.persons,
        FoundBy.ALBUM: [ALBUMS[album] for album in row.human_albums],
        FoundBy.CAPTION: own,
        FoundBy.TITLE: [row.title],
        FoundBy.KEYWORD: row.keywords,
        FoundBy.NAME: [path.rpartition("/")[2]],
        FoundBy.FOLDER: [path.rpartition("/")[0] + "/"],
        FoundBy.DESCRIPTION: [row.description],
        FoundBy.PLACE: [row.place],
        FoundBy.CAMERA: [row.camera],
        FoundBy.SUGGESTED_TAG: [tag.tag for tag in row.tags],
        FoundBy.SUGGESTED_CAPTION: [row.caption],
    }
    return {by: [text for text in texts if text] for by, texts in fields.items()}


def says(by: FoundBy, text: str, query: str) -> bool:
    """Whether a field's text is the query."""
    if by is FoundBy.NAME:
        return fold_path(query) in (text, text.rpartition(".")[0])
    if by is FoundBy.FOLDER:
        return f"/{fold_path(query)}/" in text
    return fold(text) == fold(query) or words_of(text) == words_of(query)


def share(texts: Sequence[str], word: str, *, is_prefix: bool) -> float:
    """How much a field's texts hold a word."""
    held = {own for text in texts for own in words_of(text)}
    if word in held:
        return 1.0
    other = word[:-1] if word.endswith("s") else word + "s"
    if word.isascii() and word.isalpha() and len(word) > 2 and other in held:
        return 0.9
    return 0.5 if is_prefix and any(own.startswith(word) for own in held) else 0.0


def is_word_for_seen(word: str) -> bool:
    """Whether pictures show what the word names, in one number or the other."""
    if len(word) < 3 or not word.isascii() or not word.isalpha():
        return word in seen_words()
    other = f"{word}es" if word.endswith("ss") else word[:-1] if word.endswith("s") else f"{word}s"
    return word in seen_words() or other in seen_words()


@settings(max_examples=60)
@given(st.lists(media(), min_size=1, max_size=8), PHRASE)
def test_words_find_what_a_loop_over_media_finds(rows: list[MediaRow], query: str) -> None:
    """Worth, who comes first, and what each was found by."""
    words = words_of(query)
    found = WordSearch(columns_of(rows, WORD_COLUMNS), ALBUMS).find(query, words)
    asked = [w for w in dict.fromkeys(words) if w not in STOP_WORDS] or list(dict.fromkeys(words))
    own = [said(row) for row in rows]
    worth = np.zeros(len(rows))
    for word in asked:
        is_seen = is_word_for_seen(word)
        by_chance = CALLED_AFTER if len(asked) > 1 else LYING_IN
        is_known = any(
            share(texts[field.by], word, is_prefix=False)
            for texts in own
            for field in WORD_FIELDS
            if field.is_first
        )
        held = [
            max(
                field.weight
                * (0.3 if is_seen and field.by in by_chance else 1)
                * share(
                    texts[field.by],
                    word,
                    is_prefix=not is_known and word == words[-1] and field.is_first,
                )
                for field in WORD_FIELDS
            )
            for texts in own
        ]
        if df := sum(value > 0 for value in held):
            rarity = math.log(1 + len(rows) / df)
            is_capped = is_seen and len(asked) > 1
            worth += np.array(held) * (min(rarity, 3.0) if is_capped else rarity)
    assert found.worth == pytest.approx(worth, rel=1e-4)
    for number, texts in enumerate(own):
        first = [
            len(WORD_FIELDS) - place
            for place, field in enumerate(WORD_FIELDS)
            if field.is_first and any(says(field.by, text, query) for text in texts[field.by])
        ]
        assert found.first[number] == max(first, default=0)
        is_found = bool(found.worth[number] or found.first[number])
        assert bool(found.by([number])[0]) == is_found


def row_with(**values: object) -> MediaRow:
    """A photo that says nothing but these values."""
    row = MediaRow(
        key=new_key(), root=b"/p", path=b"/p/x.jpg", size_bytes=1, mtime_ns=1,
        file_hash="f", picture_hash="p",
    )  # fmt: skip
    return replace(row, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("row", "query"),
    [
        (row_with(human_tags_added=("Königssee",)), "konigssee"),
        (row_with(human_caption="Ida, on a swing!"), "ida on a swing"),
        (row_with(human_caption='He said "no" - twice'), 'He said "no" - twice'),
        (row_with(human_caption="東京タワー"), "東京タワー"),
        (row_with(human_tags_added=("🏖️",)), "🏖️"),
        (row_with(path=b"/p/IMG_0001.JPG"), "img_0001"),
        (row_with(path=b"/p/IMG_0001.JPG"), "IMG_0001.jpg"),
        (row_with(path=b"/p/a.b.c.jpg"), "a.b.c"),
        (row_with(path=b"/p/Urlaub 2014/x.jpg"), "urlaub 2014"),
        (row_with(path=b"/p/Urlaub/Rom/x.jpg"), "Urlaub/Rom"),
        (row_with(human_tags_added=("a/b:c",)), "a/b:c"),
    ],
)
def test_what_says_the_whole_query_comes_first(row: MediaRow, query: str) -> None:
    """Case, accents and punctuation aside."""
    rows = [row_with(path=b"/p/other.jpg"), row]
    found = WordSearch(columns_of(rows, WORD_COLUMNS), {}).find(query, words_of(query))
    assert found.first.tolist()[0] == 0
    assert found.first.tolist()[1] > 0


def test_a_word_that_is_being_typed_finds_what_begins_with_it() -> None:
    """The last one, while nothing holds it as it stands."""
    rows = [row_with(human_tags_added=("swimming",)), row_with(human_tags_added=("dog",))]
    search = WordSearch(columns_of(rows, WORD_COLUMNS), {})
    assert np.flatnonzero(search.find("dog swi", ["dog", "swi"]).worth).tolist() == [0, 1]
    assert np.flatnonzero(search.find("swi dog", ["swi", "dog"]).worth).tolist() == [1]


def test_a_part_of_a_word_without_spaces_is_found() -> None:
    """Nobody puts spaces into them."""
    rows = [row_with(human_caption="夜の東京タワー"), row_with(human_caption="京都")]
    search = WordSearch(columns_of(rows, WORD_COLUMNS), {})
    assert np.flatnonzero(search.find("東京", ["東京"]).worth).tolist() == [0]


def test_a_phrase_stands_in_one_text_in_its_order() -> None:
    """Not across two tags, nor the other way round."""
    rows = [
        row_with(human_caption="a red car in rome"),
        row_with(human_caption="a car, red"),
        row_with(human_tags_added=("red", "car")),
    ]
    mask, found = WordSearch(columns_of(rows, WORD_COLUMNS), {}).with_phrase("red car")
    assert mask.tolist() == [True, False, False]
    assert FoundBy.CAPTION in [by for by, _ in found]


def test_a_place_called_after_what_is_seen_counts_for_little() -> None:
    """A photo of Long Beach says nothing of "a dog on a beach", and little of "beach"."""
    rows = [
        row_with(place="Long Beach", region="California", country="United States"),
        row_with(human_tags_added=("beach",)),
        *(row_with(path=b"/p/%d.jpg" % number) for number in range(200)),
    ]
    search = WordSearch(columns_of(rows, WORD_COLUMNS), {})
    place, tag = search.find("a dog on a beach", words_of("a dog on a beach")).worth[:2]
    assert 0 < place < 0.4 * tag
    alone = search.find("beach", ["beach"])
    assert 0 < alone.worth[0] < 0.4 * alone.worth[1]
    assert alone.told[:2].tolist() == [Told.NOTHING, Told.ALL]
    assert search.find("beaches", ["beaches"]).told[0] == Told.NOTHING
    for name in ("long beach", "California Long Beach"):
        assert search.find(name, words_of(name)).told[0] == Told.ALL
    assert search.find("house on a beach", words_of("house on a beach")).told[0] == Told.NOTHING


def test_what_is_called_by_a_word_alone_still_comes_first() -> None:
    """Whoever types the name of a place, a folder or a file means it, whatever else it names."""
    rows = [
        row_with(place="Orange"),
        row_with(path=b"/p/Orange/1.jpg"),
        row_with(path=b"/p/orange.jpg"),
        row_with(place="Orange County"),
        row_with(path=b"/p/orange at home.jpg"),
        *(row_with(path=b"/p/%d.jpg" % number) for number in range(200)),
    ]
    found = WordSearch(columns_of(rows, WORD_COLUMNS), {}).find("orange", ["orange"])
    assert (found.first[:5] > 0).tolist() == [True, True, True, False, False]
    told = found.told[:5] == Told.ALL
    assert told.tolist() == [True, True, True, False, True]


def test_a_name_with_all_words_of_a_query_says_what_is_seen() -> None:
    """One of them may be there by chance: a beagle called Cup is no cup of coffee."""
    names = ("coffee-cup", "cups of coffee", "cup", "coffee table")
    rows = [row_with(path=f"/p/{name}.jpg".encode()) for name in names]
    search = WordSearch(columns_of(rows, WORD_COLUMNS), {})
    query = "a cup of coffee"
    told = search.find(query, words_of(query)).told
    assert [told[place] == Told.ALL for place in range(4)] == [True, True, False, False]


def test_a_word_for_what_is_seen_is_not_rare_where_few_have_captions() -> None:
    """The one photo with a machine's caption would come before all that show a dog."""
    rows = [
        row_with(machine_caption="a dog"),
        *(row_with(path=b"/p/%d.jpg" % number) for number in range(5000)),
    ]
    found = WordSearch(columns_of(rows, WORD_COLUMNS), {}).find("a dog on grass", ["dog", "grass"])
    assert 0 < found.worth[0] < 1


def test_what_most_names_share_says_nothing() -> None:
    """The extension, the camera's prefix, the folder in which all lie."""
    rows = [row_with(path=f"/home/me/IMG_{n}.jpg".encode()) for n in range(30)]
    search = WordSearch(columns_of(rows, WORD_COLUMNS), {})
    for query in ("img", "home", "jpg"):
        found = search.find(query, words_of(query))
        assert not found.worth.any()
        assert not found.first.any()
    assert np.flatnonzero(search.find("img_7.jpg", words_of("img_7.jpg")).worth).tolist() == [7]


def test_a_phrase_that_most_names_hold_is_not_looked_for_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """ "img" of a million names, and "img 2014" where both are in all of them."""
    names = [b"/p/IMG_2014_%d.jpg" % number for number in range(3000)]
    rows = [row_with(path=path) for path in [*names, b"/p/2014 img.jpg", b"/p/dog.jpg"]]
    search = WordSearch(columns_of(rows, WORD_COLUMNS), {})
    looked_at: list[str] = []

    def counted(text: str) -> list[str]:
        looked_at.append(text)
        return words_of(text)

    monkeypatch.setattr(word_search, "words_of", counted)
    assert search.with_phrase("img")[0].tolist() == [*[True] * 3001, False]
    assert search.with_phrase("img 2014")[0].tolist() == [*[True] * 3000, False, False]
    assert set(looked_at) <= {"img", "img 2014"}


def test_no_words_name_no_file() -> None:
    """A query of pictures alone; a pair whose other file has no extension is not called so."""
    part = Part(
        name=b"scan.jpg", role=PartRole.RAW, format="jpeg", size_bytes=1, mtime_ns=1, ctime_ns=1,
        file_hash="h",
    )  # fmt: skip
    pair = row_with(path=b"/p/scan", parts=(part,))
    search = WordSearch(columns_of([pair], WORD_COLUMNS), {})
    assert not search.find("", []).first.any()
    assert search.find("scan", ["scan"]).first.all()


def test_a_phrase_without_words_is_looked_for_as_it_is() -> None:
    """Signs and emoji, in captions as in names of albums."""
    rows = [
        row_with(human_caption="what a goal!!!"),
        row_with(human_caption="a goal"),
        row_with(human_tags_added=("🎉",)),
        row_with(human_albums=("01C",), human_places=("500000000000",)),
    ]
    search = WordSearch(columns_of(rows, WORD_COLUMNS), {"01C": "Party 🎉"})
    assert search.with_phrase("!!!")[0].tolist() == [True, False, False, False]
    assert search.with_phrase("🎉")[0].tolist() == [False, False, True, True]
    assert not search.with_phrase("…")[0].any()
