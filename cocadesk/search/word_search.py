"""Media by words: what people wrote of them and what their files say.

For each word of a query the fields of each medium that hold it, by the columns in memory. A
medium is worth the sum over the words: how seldom the word is among all media, times how much
the best field that holds it counts. Where a whole query is what a field says, and people or
files said it, the medium comes *first* (``firsts``).
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cocadesk.library.catalogue import OWN_CAPTION, OWN_TAG
from cocadesk.library.columns import ListColumn, Mask, MediaColumns, TextColumn
from cocadesk.library.key_numbers import KeyNumbers
from cocadesk.library.paths import fold, fold_path
from cocadesk.library.texts import Texts
from cocadesk.library.word_index import WordIndex, WordMatch
from cocadesk.library.words import is_unspaced, words_of
from cocadesk.search.file_names import in_folder, is_named, named
from cocadesk.search.found_by import OWN_WORDS, FoundBy, Told
from cocadesk.search.seen_words import seen_words
from cocadesk.search.stop_words import STOP_WORDS

if TYPE_CHECKING:
    from cocadesk.library.result_rows import ResultRows
    from cocadesk.library.snapshot import Snapshot

Codes: TypeAlias = NDArray[np.integer]
_NO_WEIGHTS: Mapping[str, float] = {}
MOST_WORDS = 64
"""Of a query of many thousand letters so many words are looked for."""


@dataclass(frozen=True, slots=True)
class WordField:
    """A field that words are looked for in: its column, and how much a word in it counts.

    ``is_first``: a medium whose field says the whole query comes first.
    """

    by: FoundBy
    column: str
    weight: float
    is_first: bool = True


WORD_FIELDS = (
    WordField(FoundBy.TAG, OWN_TAG, 1.0),
    WordField(FoundBy.PERSON, "person", 1.0),
    WordField(FoundBy.ALBUM, "album", 1.0),
    WordField(FoundBy.CAPTION, OWN_CAPTION, 0.8),
    WordField(FoundBy.TITLE, "title", 0.8),
    WordField(FoundBy.KEYWORD, "keyword", 0.9),
    WordField(FoundBy.NAME, "name", 0.8),
    WordField(FoundBy.FOLDER, "folder", 0.8),
    WordField(FoundBy.DESCRIPTION, "description", 0.6),
    WordField(FoundBy.PLACE, "place", 0.8),
    WordField(FoundBy.CAMERA, "camera", 0.6),
    WordField(FoundBy.SUGGESTED_TAG, "tag", 0.25, is_first=False),
    WordField(FoundBy.SUGGESTED_CAPTION, "caption", 0.25, is_first=False),
)
"""In the order in which a medium is said to be found by them, and comes first."""
WORD_COLUMNS = frozenset(field.column for field in WORD_FIELDS)
_MOST_COMPARED = 2000
_BETWEEN = (" ", "_", "-", ".", ", ", "/")
_OF_PLACES = (FoundBy.NAME, FoundBy.FOLDER)
_NAMES = (FoundBy.NAME, FoundBy.PLACE)
_FEW_MEDIA = 20
_PUNCTUATION_BYTES = 8
_FEW = 4
_PREFIX = 0.5
_VARIANT = 0.9
_BY_CHANCE = 0.3
"""A share for what a place, a folder or a file is called after, among other words of a query:
of "a dog on a beach" a photo of Long Beach says nothing."""
_SEEN_RARITY = 3.0
"""What pictures show is not rare because few of them have a caption yet."""
_CALLED_AFTER = frozenset({FoundBy.NAME, FoundBy.FOLDER, FoundBy.PLACE, FoundBy.CAMERA})
_LYING_IN = _CALLED_AFTER - {FoundBy.NAME}
"""Where a query is one such word: what lies at "Point Pleasant Beach" need not show a beach, but a
file that somebody called so mostly does. What is called by that word alone comes first."""
_PREFIX_LETTERS = 2
_ALIKE = {
    FoundBy.SUGGESTED_TAG: FoundBy.TAG,
    FoundBy.SUGGESTED_CAPTION: FoundBy.CAPTION,
}
"""A machine's columns hold a person's words too; then the person's counts."""


_BITS = {by: bit for bit, by in enumerate(FoundBy)}


@lru_cache(maxsize=4096)
def _found_by(code: int) -> tuple[FoundBy, ...]:
    """The ways whose bits are set, each once where a machine's column has a person's words too."""
    own = {by for by, bit in _BITS.items() if code >> bit & 1}
    return tuple(by for by in FoundBy if by in own and _ALIKE.get(by) not in own)


@dataclass(frozen=True, slots=True, kw_only=True)
class WordsFound:
    """The media that words found, by number.

    ``worth`` is 0 where no word was found; ``first`` is 0 but for media that come first, the
    higher the earlier. ``named`` are the words that were said of media themselves, and ``told``
    how much of the query that is (a ``Told``).
    """

    worth: NDArray[np.float32]
    first: NDArray[np.int8]
    told: NDArray[np.int8]
    named: frozenset[str]
    masks: tuple[tuple[FoundBy, Mask], ...]

    def by(self, numbers: Sequence[int]) -> list[tuple[FoundBy, ...]]:
        """What each of these media was found by."""
        asked = np.array(numbers, np.intp)
        codes = np.zeros(len(asked), np.int64)
        for by, mask in self.masks:
            codes |= mask[asked].astype(np.int64) << _BITS[by]
        return list(map(_found_by, codes.tolist()))


class _Held:
    """How much each medium holds a word (``share``, 0 to 1), and by which fields.

    ``own`` are those of which the very word, not only its beginning, was said; ``in_names``
    those whose file's name, or place, holds it.
    """

    def __init__(self, count: int) -> None:
        self.share = np.zeros(count, np.float32)
        self.own: Mask = np.zeros(count, np.bool_)
        self.in_names: dict[FoundBy, Mask] = {}
        self.by: list[tuple[FoundBy, Mask]] = []
        self.is_known = False


class WordSearch:
    """Looks for words in the columns of media; ``albums`` are the names of albums by id."""

    def __init__(self, columns: MediaColumns, albums: Mapping[str, str]) -> None:
        self._columns = columns
        self._albums = {album: _album_words(name) for album, name in albums.items()}
        self._names = {album: fold(name) for album, name in albums.items()}

    def prepare(self) -> None:
        """Go through all words now, for which the first question would wait."""
        for field in WORD_FIELDS:
            WordIndex.of(self._texts(field))

    @property
    def keys(self) -> KeyNumbers:
        """The keys of the media's numbers."""
        return self._columns.keys

    def find(
        self, text: str, words: Sequence[str], weights: Mapping[str, float] = _NO_WEIGHTS
    ) -> WordsFound:
        """The media that say ``text``, or hold some of ``words`` (as ``words_of`` gives them).

        The last of the words may be the beginning of one. ``weights`` of 1 may be left out.
        """
        count = len(self._columns.is_there)
        worth = np.zeros(count, np.float32)
        own = np.zeros(count, np.int16)
        in_names = {by: np.zeros(count, np.int16) for by in _NAMES}
        named = set[str]()
        masks: list[tuple[FoundBy, Mask]] = []
        distinct = dict.fromkeys(words)
        asked = [word for word in distinct if word not in STOP_WORDS] or list(distinct)
        for word in asked:
            is_seen = not seen_words().isdisjoint((word, *_variants(word)))
            chance = _CALLED_AFTER if len(asked) > 1 else _LYING_IN
            called_after = chance if is_seen else frozenset[FoundBy]()
            held = self._word(word, called_after, is_last=word == words[-1])
            masks += held.by
            for by, has_word in held.in_names.items():
                in_names[by] += has_word
            if held.own.any():
                named.add(word)
                own += held.own
            df = int(np.count_nonzero(held.share))
            if df:
                rarity = math.log(1 + count / df)
                if is_seen and len(asked) > 1:
                    rarity = min(rarity, _SEEN_RARITY)
                worth += held.share * (rarity * weights.get(word, 1.0))
        first = np.zeros(count, np.int8)
        for place, field in enumerate(WORD_FIELDS):
            if field.is_first:
                mask = self._saying(field, text, words)
                if mask is not None:
                    np.maximum(first, mask * np.int8(len(WORD_FIELDS) - place), out=first)
                    masks.append((field.by, mask))
        there = self._columns.is_there
        told = np.zeros(count, np.int8)
        if named:
            told[own == len(named)] = Told.ALL if len(named) == len(asked) else Told.NAMED
        told[first > 0] = Told.ALL
        for by, number in in_names.items():
            # One word of a name may be there by chance; "coffee-cup" is "a cup of coffee", and
            # nobody types "Point Pleasant Beach" who does not mean that place.
            if len(asked) > (by is FoundBy.PLACE):
                told[number == len(asked)] = Told.ALL
        return WordsFound(
            worth=worth * there,
            first=first * there,
            told=told,
            named=frozenset(named),
            masks=tuple(masks),
        )

    def says(self, text: str) -> bool:
        """True where a field of a medium says ``text``, letter for letter but for their case."""
        return any(
            field.is_first and self._saying(field, text, ()) is not None for field in WORD_FIELDS
        )

    def holding(self, words: Sequence[str]) -> Mask:
        """The media of which people or files use all of ``words``, in whatever number."""
        whole = np.full(len(self._columns.is_there), bool(words))
        for word in words:
            mask = np.zeros_like(whole)
            for field in WORD_FIELDS:
                for other in (word, *_variants(word)) if field.is_first else ():
                    self._add(mask, field, self._codes(field, other, WordMatch.EQUAL))
            whole &= mask
        return whole

    def with_phrase(self, text: str) -> tuple[Mask, list[tuple[FoundBy, Mask]]]:
        """The media in which the words of ``text`` stand in a row, and by which field.

        Of a text without words ("!!!") those that hold it as it is.
        """
        words = words_of(text)
        whole = np.zeros(len(self._columns.is_there), np.bool_)
        found: list[tuple[FoundBy, Mask]] = []
        for field in WORD_FIELDS:
            mask, texts = np.zeros_like(whole), self._texts(field)
            if self._add(mask, field, self._with_run(field, texts, words, text)):
                found.append((field.by, mask))
                whole |= mask
        return whole & self._columns.is_there, found

    def _with_run(self, field: WordField, texts: Texts, words: Sequence[str], text: str) -> Codes:
        """The texts of a field in which ``words`` stand one after the other.

        Where very many hold all of the words, those in which one usual sign stands between them.
        """
        if not words:
            return self._with_text(field, texts, fold(text.strip()))
        if len(words) == 1 and not is_unspaced(words[0]):
            return self._codes(field, words[0], WordMatch.EQUAL)
        if field.by is FoundBy.ALBUM:
            return self._album_codes(a for a, own in self._albums.items() if _has_run(own, words))
        likely = self._with_all(field, words)
        if likely is None:
            held = self._held(field, words)
            if len(held) > _MOST_COMPARED:
                is_run = np.zeros(len(texts), np.bool_)
                for sign in _BETWEEN:
                    is_run |= texts.containing(sign.join(words))
                return held[is_run[held]]
            likely = held.tolist()
        codes = [code for code in likely if _has_run(words_of(texts[code]), words)]
        return np.array(codes, np.int32)

    def _with_text(self, field: WordField, texts: Texts, text: str) -> Codes:
        """The texts of a field that hold ``text``, letter for letter."""
        if not text or not len(texts):
            return np.zeros(0, np.int32)
        if field.by is FoundBy.ALBUM:
            return self._album_codes(a for a, name in self._names.items() if text in name)
        return np.flatnonzero(texts.containing(text))

    # Words --------------------------------------------------------------------------------

    def _word(self, word: str, called_after: Collection[FoundBy], *, is_last: bool) -> _Held:
        """The media that hold a word.

        In the fields ``called_after`` what pictures show, it may stand by chance.
        """
        held = _Held(len(self._columns.is_there))
        ways = [(word, WordMatch.EQUAL, 1.0)]
        ways += [(other, WordMatch.EQUAL, _VARIANT) for other in _variants(word)]
        for field in WORD_FIELDS:
            chance = _BY_CHANCE if field.by in called_after else 1.0
            for other, match, share in ways:
                share *= chance
                self._hold(held, field, other, match, share)
        if is_last and not held.is_known and len(word) >= _PREFIX_LETTERS:
            for field in WORD_FIELDS:
                if field.is_first:
                    self._hold(held, field, word, WordMatch.STARTS, _PREFIX)
        return held

    def _hold(
        self, held: _Held, field: WordField, word: str, match: WordMatch, share: float
    ) -> None:
        codes = self._codes(field, word, match)
        if not len(codes):
            return
        mask = np.zeros_like(held.own)
        self._add(mask, field, codes)
        if field.by in _OF_PLACES and _is_usual(mask):
            return
        np.maximum(held.share, mask * np.float32(field.weight * share), out=held.share)
        held.by.append((field.by, mask))
        held.is_known |= field.is_first
        if field.by in OWN_WORDS and share > _PREFIX:
            held.own |= mask
        if field.by in _NAMES and match is WordMatch.EQUAL:
            held.in_names[field.by] = mask | held.in_names.get(field.by, False)

    def _codes(self, field: WordField, word: str, match: WordMatch) -> Codes:
        """The numbers of the texts of a field that hold a word."""
        if field.by is FoundBy.ALBUM:
            return self._album_codes(
                album
                for album, words in self._albums.items()
                if any(_fits(own, word, match) for own in words)
            )
        texts = self._texts(field)
        return WordIndex.of(texts).codes(word, match) if len(texts) else np.zeros(0, np.int32)

    def _album_codes(self, albums: Iterable[str]) -> Codes:
        texts = self._columns.texts("album").texts
        masks = [np.flatnonzero(texts.starting(f"{album} ")) for album in albums]
        return np.concatenate(masks) if masks else np.zeros(0, np.int32)

    def _texts(self, field: WordField) -> Texts:
        return self._columns.texts(field.column).texts

    def _with_all(self, field: WordField, words: Sequence[str]) -> list[int] | None:
        """The texts of a field that may hold all of ``words``: those that hold the rarest.

        None where they are too many to look at one by one.
        """
        found: Codes | None = None
        for word in dict.fromkeys(words):
            codes = self._codes(field, word, WordMatch.EQUAL)
            if found is None or len(codes) < len(found):
                found = codes
            if not len(found):
                break
        if found is None or len(found) > _MOST_COMPARED:
            return None
        return [int(code) for code in np.unique(found)]

    def _add(self, mask: Mask, field: WordField, codes: Codes) -> bool:
        """Set ``mask`` for the media that have one of these texts; False where none has."""
        if not len(codes):
            return False
        column = self._columns.texts(field.column)
        if isinstance(column, TextColumn):
            mask |= _among(column.codes, codes, len(column.texts))
        else:
            assert isinstance(column, ListColumn)
            pairs = np.flatnonzero(_among(column.codes, codes, len(column.texts)))
            mask[column.owners[pairs]] = True
        return True

    # Whole queries ------------------------------------------------------------------------

    def _saying(self, field: WordField, text: str, words: Sequence[str]) -> Mask | None:
        """The media of which a field says ``text`` and nothing else."""
        texts = self._texts(field)
        if not len(texts) or not text.strip():
            return None
        if field.by is FoundBy.ALBUM:
            folded = fold(text)
            codes = self._album_codes(
                album
                for album, own in self._albums.items()
                if self._names[album] == folded or (own == list(words) and words)
            )
        elif field.by is FoundBy.NAME:
            codes = self._named(field, texts, fold_path(text))
        elif field.by is FoundBy.FOLDER:
            codes = np.flatnonzero(in_folder(texts, fold_path(text)))
        else:
            codes = self._equal(field, texts, text, words)
        mask = np.zeros(len(self._columns.is_there), np.bool_)
        there = self._columns.is_there
        is_any = self._add(mask, field, codes) and bool((mask & there).any())
        if is_any and field.by is FoundBy.FOLDER and len(there) > _FEW_MEDIA:
            is_any = not bool(mask[there].all())  # what all folders lie in tells nothing
        return mask if is_any else None

    def _equal(self, field: WordField, texts: Texts, text: str, words: Sequence[str]) -> Codes:
        found = [np.flatnonzero(texts.equal(fold(text)))]
        likely = self._with_all(field, words) if words else None
        if likely is None and words:  # a word of many: the texts that are about as short
            most = 2 * len(text.encode()) + _PUNCTUATION_BYTES
            is_short = np.diff(texts.offsets) <= most
            held = self._held(field, words)
            likely = held[is_short[held]][:_MOST_COMPARED].tolist()
        if likely:  # punctuation and accents aside
            asked = list(words)
            alike = [code for code in likely if words_of(texts[code]) == asked]
            found.append(np.array(alike, np.intp))
        return np.concatenate(found)

    def _named(self, field: WordField, texts: Texts, name: str) -> Codes:
        """The texts of file names in which a file has this name, with or without extension."""
        likely = self._with_all(field, words_of(name))
        if likely is None:
            return np.flatnonzero(named(texts, name))
        return np.array([code for code in likely if is_named(texts[code], name)], np.intp)

    def _held(self, field: WordField, words: Sequence[str]) -> Codes:
        """The texts of a field that hold all of ``words``."""
        found: Codes | None = None
        for word in dict.fromkeys(words):
            codes = np.unique(self._codes(field, word, WordMatch.EQUAL))
            found = codes if found is None else np.intersect1d(found, codes, assume_unique=True)
        return np.zeros(0, np.int32) if found is None else found


def words_in(rows: ResultRows | Snapshot) -> WordSearch | None:
    """The words of a library; None where its columns are not in memory."""
    columns = rows.columns(WORD_COLUMNS)
    if columns is None:
        return None
    # Names of albums are read only where a medium is in one.
    has_albums = len(columns.texts("album").texts)
    return WordSearch(columns, rows.albums.names() if has_albums else {})


def _is_usual(mask: Mask) -> bool:
    """True for a part of names that most of many media share: "IMG", "photos"."""
    return len(mask) > _FEW_MEDIA and 2 * int(np.count_nonzero(mask)) > len(mask)


@lru_cache(maxsize=20_000)
def _album_words(name: str) -> list[str]:
    return words_of(name)


def _among(codes: NDArray[np.int32], wanted: Codes, count: int) -> Mask:
    """True for each of ``codes`` (below ``count``, or -1) that is wanted."""
    if len(wanted) <= _FEW:  # comparing is ten times as fast as looking up
        mask: Mask = codes == wanted[0]
        for code in wanted[1:]:
            mask |= codes == code
        return mask
    passes = np.zeros(count + 1, np.bool_)  # the last one answers for -1
    passes[wanted] = True
    found: Mask = passes[codes]
    return found


def _variants(word: str) -> list[str]:
    """The same word in the other number, as English mostly makes it."""
    if not word.isascii() or not word.isalpha() or len(word) < 3:
        return []
    if word.endswith("ss"):
        return [word + "es"]
    if word.endswith("s"):
        return [word[:-1]]
    return [word + "s"]


def _fits(own: str, word: str, match: WordMatch) -> bool:
    if is_unspaced(word):
        return word in own
    return own == word or (match is WordMatch.STARTS and own.startswith(word))


def _has_run(own: Sequence[str], words: Sequence[str]) -> bool:
    """True where ``words`` stand in ``own`` one after the other."""
    count = len(words)
    if any(map(is_unspaced, words)):
        return "".join(words) in "".join(own)
    asked = list(words)
    return any(list(own[at : at + count]) == asked for at in range(len(own) - count + 1))
