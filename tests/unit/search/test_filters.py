"""Filters: the store, the columns in memory and a slow reference choose the same media."""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cocadesk.errors import UserError
from cocadesk.library.fields import FIELD_OF, Form
from cocadesk.library.library import Library
from cocadesk.library.marks import Flag
from cocadesk.library.rows import (
    ALBUM,
    Edit,
    MediaChange,
    MediaKind,
    MediaRow,
    MediaState,
    Tag,
    new_key,
)
from cocadesk.search.filters import Filter, parse_filter, split_query
from cocadesk.search.grammar import (
    _DATES_ELSEWHERE,
    _ELSEWHERE,
    FILTER_FIELDS,
    OPTIONAL_FIELDS,
)
from cocadesk.search.matching import matching_keys, newest_keys, newest_matching
from cocadesk.search.terms import HAS, DateRange, NumberRange, Term, Value
from tests.support.columns import columns_of

WORDS = ["dog", "Dog", "DOG", "it's", "a, b", 'say "hi"', "ÄRGER", "ärger", "ΣΑΣ", "İstanbul",
         "100%_", "back\\slash", "🐶", "--", "Ida", "NIKON D90", "x"]  # fmt: skip
FOLDERS = [b"/", b"/photos", b"/photos/2014", b"/photos/2014/Birthday", b"/photos/2014/birthdays",
           b"/Photos/2014", b"/other/photos/A'b", b"/raw/\xff\xfe", b"/photos/20140"]  # fmt: skip
DAYS = [date(1, 1, 1), date(1969, 12, 31), date(2013, 12, 31), date(2014, 1, 1), date(2014, 5, 3),
        date(2014, 12, 31), date(2015, 1, 1), date(2500, 2, 28), date(9999, 12, 31)]  # fmt: skip
TIMES = [time(0), time(12, 30), time(23, 59, 59, 999999)]
CHOICES = {
    "kind": list(MediaKind),
    "state": list(MediaState),
    "format": ["jpeg", "JPEG", "mp4", ""],
    "label": WORDS,
    "flag": list(Flag),
    "favourite": ["yes", "no"],
    "captioned": ["person", "machine", "nobody"],
}
WHOLE = {*CHOICES, "country", "region", "town"}
"""The fields of one text that is found by the whole of it."""
ALBUMS = {"01AAAAAAAAAAAAAAAAAAAAAAAA": "Best", "01AAAAAAAAAAAAAAAAAAAAAAAB": 'a "b", c/d',
          "01AAAAAAAAAAAAAAAAAAAAAAAC": "🐶 ÄRGER"}  # fmt: skip


def random_row(rng: random.Random) -> MediaRow:
    """A medium whose fields are drawn from the small stocks above, or empty."""

    def maybe(value: object) -> object:
        return value if rng.random() < 0.6 else None

    def some() -> tuple[str, ...]:
        return tuple(dict.fromkeys(rng.choices(WORDS, k=rng.choice([0, 0, 1, 2, 3]))))

    def moment() -> datetime:
        return datetime.combine(rng.choice(DAYS), rng.choice(TIMES))

    key = new_key()
    albums = tuple(album for album in ALBUMS if rng.random() < 0.3)
    values = {
        "path": b"/".join(
            [rng.choice(FOLDERS).rstrip(b"/"), os.fsencode(rng.choice(WORDS)) + key.encode()]
        ),
        "kind": rng.choice(CHOICES["kind"]),
        "state": rng.choice(CHOICES["state"]),
        "format": rng.choice(CHOICES["format"]),
        "width": rng.choice([0, 3, 4000]),
        "duration_s": maybe(rng.choice([0.0, 2.5, 60.0])),
        "taken_local": maybe(moment()),
        "taken_utc": maybe(moment().replace(tzinfo=UTC)),
        "added_utc": maybe(moment().replace(tzinfo=UTC)),
        "latitude": maybe(48.1),
        "longitude": maybe(-11.5),
        "camera": maybe(rng.choice(WORDS)),
        "lens": maybe(rng.choice(WORDS)),
        "title": maybe(rng.choice(["", *WORDS])),
        "description": maybe(" ".join(rng.choices(WORDS, k=4))),
        "rating": maybe(rng.randint(-1, 5)),
        "human_rating": maybe(rng.randint(0, 5)),
        "human_flag": maybe(rng.choice(list(Flag)).value),
        "human_favourite": maybe(True),
        "human_hidden": maybe(True),
        "human_albums": albums,
        "human_places": tuple(f"{rng.randint(1, 10**11):012}" for _ in albums),
        "keywords": some(),
        "keyword_paths": tuple("|".join(rng.choices(WORDS, k=2)) for _ in some()),
        "persons": some(),
        "label": maybe(rng.choice(WORDS)),
        "creator": maybe(rng.choice(WORDS)),
        "copyright": maybe(rng.choice(WORDS)),
        "place": maybe(rng.choice(WORDS)),
        "region": maybe(rng.choice(WORDS)),
        "country": maybe(rng.choice(WORDS)),
        "exposure_s": maybe(rng.choice([1 / 200, 2.5, 60.0])),
        "aperture": maybe(rng.choice([2.5, 4.0])),
        "iso": maybe(rng.choice([3, 60, 6400])),
        "focal_mm": maybe(rng.choice([4.0, 60.0])),
        "machine_caption": maybe(" ".join(rng.choices(WORDS, k=4))),
        "human_caption": maybe(rng.choice(WORDS)),
        "machine_tags": tuple(Tag(tag=tag, score=0.5) for tag in some()),
        "human_tags_added": some(),
        "human_tags_removed": some(),
    }
    return MediaRow(
        key=key,
        root=b"/",
        size_bytes=rng.choice([1, 60, 2**40]),
        mtime_ns=1,
        file_hash=key,
        picture_hash=key,
        **values,
    )  # type: ignore[arg-type]


class Media:
    """Media of every sort in a real library; the same at each run but for their keys."""

    def __init__(self, folder: Path) -> None:
        rng = random.Random(14)
        self.rows = [random_row(rng) for _ in range(250)]
        self.library = Library.open(folder)
        self.library.media.commit([MediaChange(row=row, is_new=True) for row in self.rows])
        self.library.edits.record([album_edit(album, name) for album, name in ALBUMS.items()])


def album_edit(album: str, name: str) -> Edit:
    """The entry of the log that makes an album."""
    now = datetime(2026, 5, 1, tzinfo=UTC)
    return Edit(
        batch=album, key=album, who="person", when=now, field=ALBUM, old="null",
        new=json.dumps(name),
    )  # fmt: skip


@pytest.fixture(scope="module")
def media(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Media]:
    """One library for all examples."""
    made = Media(tmp_path_factory.mktemp("library"))
    yield made
    made.library.close()


def reference_value(row: MediaRow, field: str) -> object:
    """The value of a field as people mean it, in plain Python."""
    if field == "tag":
        gone = {tag.lower() for tag in row.human_tags_removed}
        machine = [tag.tag.lower() for tag in row.machine_tags if tag.tag.lower() not in gone]
        return [tag.lower() for tag in row.human_tags_added] + machine
    if field == "folder":
        return os.fsdecode(row.path.rpartition(b"/")[0]).encode("utf-8", "replace").decode().lower()
    if field == "album":
        return [ALBUMS[album].lower() for album in row.human_albums]
    if field == "flag":
        file = "reject" if row.rating is not None and row.rating < 0 else "none"
        return file if row.human_flag is None else row.human_flag
    if field == "position":
        return None if row.latitude is None or row.longitude is None else True
    if field == "place":
        return ", ".join(name for name in (row.place, row.region, row.country) if name)
    parts = [part for path in row.keyword_paths for part in path.split("|")]
    return {
        "keyword": [keyword.lower() for keyword in (*row.keywords, *parts)],
        "person": [person.lower() for person in row.persons],
        "town": row.place,
        "captioned": reference_captioned(row),
        "exposure": row.exposure_s,
        "focal": row.focal_mm,
        "name": os.fsdecode(row.path.rpartition(b"/")[2]),
        "caption": row.caption,
        "rating": reference_stars(row),
        "favourite": "yes" if row.human_favourite else "no",
        "hidden": "yes" if row.human_hidden else None,
        "taken": row.taken,
        "added": row.added_utc,
        "duration": row.duration_s,
        "size": row.size_bytes,
    }.get(field, getattr(row, field, None))


def reference_captioned(row: MediaRow) -> str:
    """The author of the caption that is shown; an empty one of a person's shows none."""
    if row.human_caption is None:
        return "machine" if row.machine_caption else "nobody"
    return "person" if row.human_caption else "nobody"


def reference_stars(row: MediaRow) -> int | None:
    """The person's stars, of which 0 says that there are none, else the file's."""
    if row.human_rating is not None:
        return row.human_rating if row.human_rating > 0 else None
    return row.rating if row.rating is not None and row.rating >= 0 else None


def reference_matches(row: MediaRow, term: Term) -> bool:
    """Whether one term holds, in the plainest way."""
    if term.field == HAS:
        found = any(reference_value(row, str(name)) not in (None, "", []) for name in term.values)
    else:
        found = any(reference_fits(row, term.field, value) for value in term.values)
    return found != term.is_negated


def reference_fits(row: MediaRow, field: str, value: Value) -> bool:
    """Whether the field has one value."""
    own = reference_value(row, field)
    if own is None:
        return False
    if isinstance(value, DateRange):
        day = own.date()  # type: ignore[attr-defined]
        return (value.first or date.min) <= day <= (value.last or date.max)
    if isinstance(value, NumberRange):
        low = float("-inf") if value.low is None else value.low
        return low <= own <= (float("inf") if value.high is None else value.high)  # type: ignore[operator]
    if isinstance(own, list):
        return value.lower() in own
    text, wanted = str(own).lower(), value.lower()
    if field == "folder":
        names = [name for name in wanted.split("/") if name]
        parts = [name for name in text.split("/") if name]
        last = 1 if wanted.startswith("/") else len(parts) - len(names) + 1
        return any(parts[i : i + len(names)] == names for i in range(max(last, 0)))
    return text == wanted if field in WHOLE else wanted in text


def date_ranges() -> st.SearchStrategy[DateRange]:
    """Ranges of days that do not end before they begin."""
    days = st.one_of(st.sampled_from(DAYS), st.dates())
    both = st.tuples(days, days).map(sorted).map(lambda d: DateRange(first=d[0], last=d[1]))
    return both | days.map(lambda d: DateRange(first=d)) | days.map(lambda d: DateRange(last=d))


def number_ranges() -> st.SearchStrategy[NumberRange]:
    """The same of numbers, those beside whole ones too, as ">" makes them."""
    numbers = st.sampled_from([-1.0, 0.0, 3.0, 4.0, 60.0, 2.5, 5e-324, 3.0000000000000004]) | (
        st.floats(allow_nan=False, allow_infinity=False, min_value=-1e18, max_value=1e18)
    )
    both = st.tuples(numbers, numbers).map(sorted).map(lambda n: NumberRange(low=n[0], high=n[1]))
    low = numbers.map(lambda n: NumberRange(low=n + 0.0))
    return both | low | numbers.map(lambda n: NumberRange(high=n + 0.0))


def values_of(field: str, texts: st.SearchStrategy[str]) -> st.SearchStrategy[Value]:
    """Values that a filter of this field may have."""
    if field == HAS:
        return st.sampled_from(OPTIONAL_FIELDS)
    if FIELD_OF[field].choices:
        return st.sampled_from([str(choice) for choice in FIELD_OF[field].choices])
    if FIELD_OF[field].form is Form.TIME:
        return date_ranges()
    if FIELD_OF[field].form is Form.NUMBER:
        return number_ranges()
    if field == "album" and texts is STOCK:
        return st.sampled_from([*ALBUMS.values(), "best", "🐶 ärger"])
    if field == "folder":
        return texts.filter(lambda text: bool(text.strip("/.")))
    return texts


def filters(texts: st.SearchStrategy[str]) -> st.SearchStrategy[Filter]:
    """Filters of up to three terms with up to three values."""

    def terms(field: str) -> st.SearchStrategy[Term]:
        return st.builds(
            Term,
            field=st.just(field),
            values=st.lists(values_of(field, texts), min_size=1, max_size=3).map(tuple),
            is_negated=st.booleans(),
        )

    some = st.lists(st.sampled_from(FILTER_FIELDS).flatmap(terms), max_size=3)
    return some.map(tuple).map(Filter)


STOCK = st.sampled_from(
    [*WORDS, "o", "jpeg", "photos", "2014/birthday", "/photos/2014", "/", "birthday", "\\", "ß"]
)


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(chosen=filters(STOCK))
def test_store_memory_and_reference_choose_the_same_media(media: Media, chosen: Filter) -> None:
    """``where`` in LanceDB, ``mask`` over columns and plain Python agree on every row."""
    rows, results = media.rows, media.library.results
    expected = {row.key for row in rows if all(reference_matches(row, t) for t in chosen.terms)}
    by_id = chosen.with_albums(ALBUMS)
    mask = by_id.mask(columns_of(rows, chosen.fields()))
    assert {row.key for row, passes in zip(rows, mask, strict=True) if passes} == expected
    assert results.keys_where(by_id.where() or "true") == expected
    assert matching_keys(results, chosen) == expected


@settings(max_examples=200, deadline=None)
@given(chosen=filters(st.text(min_size=1)))
def test_a_printed_filter_is_read_as_the_same_filter(chosen: Filter) -> None:
    """Nothing is lost in the grammar, whatever letters the values have."""
    assert parse_filter(str(chosen)) == chosen


@settings(max_examples=200, deadline=None)
@given(text=st.text(alphabet='ab:.,<>=-"/0123456789 \tkindtagrating', max_size=40))
def test_any_query_is_split_or_refused_in_a_sentence(text: str) -> None:
    """What is split once is not split otherwise again."""
    try:
        words, chosen = split_query(text)
    except UserError:
        return
    assert split_query(f"{words} {chosen}".strip()) == (words, chosen)
    assert parse_filter(str(chosen)) == chosen


@pytest.mark.parametrize(
    ("query", "words", "printed"),
    [
        ("dog kind:video", "dog", "kind:video"),
        ("a KIND:Video,photo  red car", "a red car", "kind:video,photo"),
        ('folder:"2014/Birthday"', "", "folder:2014/Birthday"),
        ('-tag:dog camera:"NIKON D90"', "", '-tag:dog camera:"NIKON D90"'),
        ("rating:>=4 rating:>4 rating:<2 rating:3 rating:2..4 rating:..2", "",
         "rating:>=4 rating:>4 rating:<2 rating:3 rating:2..4 rating:<=2"),
        ("taken:2014 taken:2014-05", "", "taken:2014 taken:2014-05"),
        ("taken:2014..2016 taken:>=2014-05 taken:<2014 taken:2014-01..2015-12", "",
         "taken:2014..2016 taken:2014-05.. taken:..2013 taken:2014..2015"),
        ("at 3:30 see http://a.de:80/b C:\\dogs", "at 3:30 see http://a.de:80/b C:\\dogs", ""),
        ('"kind:video" note: -dog', '"kind:video" note: -dog', ""),
        ('tag:Ida,"b, c" has:caption,tag', "", 'tag:Ida,"b, c" has:caption,tag'),
    ],
)  # fmt: skip
def test_terms_are_told_from_words(query: str, words: str, printed: str) -> None:
    """The rest of a query stays as it is typed; terms are printed in their shortest form."""
    text, chosen = split_query(query)
    assert (text, str(chosen)) == (words, printed)
    assert parse_filter(printed) == chosen


@pytest.mark.parametrize(
    ("term", "sentence"),
    [
        ("cmaera:nikon", "Did you mean camera?"),
        ("kind:vidoe", "Did you mean video?"),
        ("has:captions", "Did you mean caption?"),
        ("qqqq:x", "in quotes"),
        ("bofuro:x", "in quotes"),
        ("before:2020", "Did you mean taken:<2020?"),
        ("after:2019-05", "Did you mean taken:>2019-05?"),
        ("since:yesterday", "Did you mean taken:>=2020?"),
        ("date:2019", "Did you mean taken:2019?"),
        ("stars:>=4", "Did you mean rating:>=4?"),
        ('people:"Ida B"', 'Did you mean person:"Ida B"?'),
        ("state:away", "present, missing, offline"),
        ("flag:picked", "Did you mean pick?"),
        ("favourite:5", "yes, no"),
        ("rating:good", "rating:>=4"),
        ("rating:4..2", "rating:2..4"),
        ("exposure:1/0", "names no numbers"),
        ("prsn:Ida", "Did you mean person?"),
        ("taken:2014-13", "taken:2014-05-03"),
        ("taken:2014-02-30", "taken:2014-05-03"),
        ("taken:..", "taken:2014..2016"),
        ("taken:>9999", "taken:2014"),
        ("tag:", "no value"),
        ('tag:""', "empty value"),
        ("folder:./", "empty value"),
        ('tag:"Ida', "not closed"),
    ],
)
def test_a_bad_term_is_a_sentence_that_helps(term: str, sentence: str) -> None:
    """Unknown fields and bad values name the nearest or an example."""
    with pytest.raises(UserError) as caught:
        split_query(f"dog {term}")
    assert sentence in str(caught.value)


def test_names_of_other_programs_lead_to_filters_that_there_are() -> None:
    """What is said to be meant can be typed; no filter of ours is called otherwise."""
    assert not {*_ELSEWHERE, *_DATES_ELSEWHERE} & set(FILTER_FIELDS)
    assert set(_ELSEWHERE.values()) <= set(FILTER_FIELDS)
    for name in _DATES_ELSEWHERE:
        with pytest.raises(UserError) as caught:
            split_query(f"{name}:2019-05")
        (offered,) = re.findall(r"taken:[<>=0-9-]+", str(caught.value))
        assert str(split_query(offered)[1])


def test_a_filter_alone_may_hold_no_words() -> None:
    """Where a filter is wanted, a word is a mistake; nothing lets everything pass."""
    with pytest.raises(UserError, match="dog is no filter"):
        parse_filter("kind:video dog")
    assert not parse_filter("  ")
    assert parse_filter("").where() is None


def row(**values: object) -> MediaRow:
    """A photo at /Photos/2014/Birthday/IMG.JPG."""
    fields = {"path": b"/Photos/2014/Birthday/IMG.JPG", "key": "k", "root": b"/", **values}
    return MediaRow(size_bytes=1, mtime_ns=1, file_hash="f", picture_hash="p", **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "values", "passes"),
    [
        ("folder:birthday", {}, True),
        ("folder:2014/birthday", {}, True),
        ("folder:photos/birthday", {}, False),
        ("folder:birth", {}, False),
        ("folder:/photos", {}, True),
        ("folder:/2014", {}, False),
        ("folder:img.jpg", {}, False),
        ("name:img", {}, True),
        ("tag:dog", {"machine_tags": (Tag(tag="Dog", score=0.3),)}, True),
        ("tag:dog", {"machine_tags": (Tag(tag="Dog", score=0.3),),
                     "human_tags_removed": ("DOG",)}, False),
        ("has:tag", {"machine_tags": (Tag(tag="Dog", score=0.3),),
                     "human_tags_removed": ("DOG",)}, False),
        ("tag:do", {"human_tags_added": ("dog",)}, False),
        ("caption:beach", {"machine_caption": "A beach", "human_caption": "Home"}, False),
        ("caption:home", {"machine_caption": "A beach", "human_caption": "Home"}, True),
        ("-has:caption", {}, True),
        ("rating:5", {"rating": 1, "human_rating": 5}, True),
        ("rating:1", {"rating": 1, "human_rating": 5}, False),
        ("-rating:1", {}, True),
        ("rating:>1.5", {"rating": 2}, True),
        ("taken:2014", {"taken_local": datetime(2014, 12, 31, 23, 59, 59)}, True),
        ("taken:>2014", {"taken_local": datetime(2014, 12, 31, 23, 59, 59)}, False),
        ("taken:..2014-12-31", {"taken_local": datetime(2014, 12, 31, 23, 59, 59)}, True),
        ("camera:nikon,canon", {"camera": "CANON EOS"}, True),
        ("camera:nikon camera:d90", {"camera": "NIKON D90"}, True),
        ("keyword:france", {"keyword_paths": ("Places|France|Paris",)}, True),
        ("keyword:paris", {"keyword_paths": ("Places|France|Paris",)}, True),
        ("keyword:fran", {"keyword_paths": ("Places|France|Paris",)}, False),
        ("person:ida", {"persons": ("Ida", "Tom")}, True),
        ("-person:tom", {"persons": ("Ida", "Tom")}, False),
        ("place:york", {"place": "New York City"}, True),
        ("place:italy", {"region": "Tuscany", "country": "Italy"}, True),
        ("-has:place", {}, True),
        ("label:red", {"label": "Red"}, True),
        ("iso:>=800", {"iso": 800}, True),
        ("aperture:..2.8", {"aperture": 2.8}, True),
        ("focal:24..70", {"focal_mm": 85.0}, False),
        ("exposure:1/200", {"exposure_s": 1 / 200}, True),
        ("exposure:>1/60", {"exposure_s": 1 / 60}, False),
        ("has:position", {"latitude": 1.0}, False),
        ("has:position,rating", {"rating": 0}, True),
        ("has:rating", {"rating": 4, "human_rating": 0}, False),
        ("rating:..5", {"rating": -1}, False),
        ("flag:reject", {"rating": -1}, True),
        ("flag:reject", {"rating": -1, "human_flag": "none"}, False),
        ("flag:none", {}, True),
        ("-flag:pick,none", {"human_flag": "reject"}, True),
        ("favourite:yes", {"human_favourite": True}, True),
        ("favourite:no", {}, True),
        ("-favourite:yes", {"human_favourite": True}, False),
        ("hidden:yes", {"human_hidden": True}, True),
        ("hidden:yes", {}, False),
        ("-hidden:yes", {}, True),
        ("-hidden:yes", {"human_hidden": True}, False),
        ("has:album", {"human_albums": ("01A",), "human_places": ("5",)}, True),
        ("-has:album", {}, True),
    ],
)  # fmt: skip
def test_what_a_term_means(text: str, values: dict[str, object], passes: bool) -> None:
    """A person's words stand before a machine's; values are alternatives, terms conditions."""
    chosen = parse_filter(text)
    assert chosen.mask(columns_of([row(**values)], chosen.fields())).tolist() == [passes]


def test_days_end_where_the_next_begins() -> None:
    """The last microsecond of a day belongs to it, the first of the next does not."""
    end = datetime.combine(date(2014, 6, 1), time()) - timedelta(microseconds=1)
    for when, passes in ((end, True), (end + timedelta(microseconds=1), False)):
        for text in ("taken:2014-05-31", "taken:2014-05", "-taken:>2014-05"):
            chosen = parse_filter(text)
            columns = columns_of([row(taken_local=when)], chosen.fields())
            assert chosen.mask(columns).tolist() == [passes]


def test_filters_are_joined_by_and() -> None:
    """Both must hold; the union of their terms is one filter."""
    joined = parse_filter("kind:video") & parse_filter("tag:Ida")
    assert str(joined) == "kind:video tag:Ida"
    assert joined.fields() == {"kind", "tag"}
    assert str(joined.only(frozenset({"kind"}))) == "kind:video"


def test_the_media_of_one_album_come_in_its_order(media: Media) -> None:
    """Whatever else must hold; from memory and from the store alike."""
    album, name = next(iter(ALBUMS.items()))
    inside = [row for row in media.rows if album in row.human_albums]
    inside.sort(key=lambda row: row.human_places[row.human_albums.index(album)])
    expected = [row.key for row in inside if row.kind is MediaKind.PHOTO]
    among = parse_filter(f"kind:photo album:{name.upper()}")
    assert newest_matching(media.library.results, among) == expected
    assert newest_keys(media.library, among) == expected
    assert [*media.library.albums.places(album)] == [row.key for row in inside]


def test_an_album_that_there_is_not_is_said_with_the_nearest(media: Media) -> None:
    """A wrong name finds nothing by accident, also where it is turned round."""
    for text in ("album:Besst", "-album:Besst", "album:best,besst"):
        with pytest.raises(UserError, match=r"no album “.*Did you mean Best"):
            matching_keys(media.library.results, parse_filter(text))


@pytest.mark.parametrize(
    ("text", "album"),
    [
        ("album:a", "a"),
        ("rating:>=4 album:a -kind:video", "a"),
        ("album:a,b", None),
        ("-album:a", None),
        ("album:a album:b", None),
        ("has:album", None),
    ],
)
def test_only_a_filter_of_one_album_has_its_order(text: str, album: str | None) -> None:
    """Of several there is no common one."""
    assert parse_filter(text).album == album
