"""Text to media: embed, nearest views, the best view of each medium, rows."""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from cocadesk.errors import UserError, tr
from cocadesk.library.groups import Groups
from cocadesk.library.layout import MEDIA, STORE_FOLDER, views_table
from cocadesk.library.rows import MediaKind, MediaState, ResultRow, StoredVector
from cocadesk.library.snapshot import Snapshot, fingerprint, open_snapshot
from cocadesk.library.vector_memory import best_of
from cocadesk.library.words import words_of
from cocadesk.search.calibration import Calibrator
from cocadesk.search.filters import EVERYTHING, HIDDEN, Filter, unless_hidden, unless_missing
from cocadesk.search.found_by import OWN_WORDS, FoundBy, Told
from cocadesk.search.matching import Chooser, has_any
from cocadesk.search.ordering import OWN_ORDER, Order, ordered_matching, sorted_places
from cocadesk.search.ranking import Place, Question, Ranker, within
from cocadesk.search.terms import ALBUM
from cocadesk.search.word_search import MOST_WORDS, WordSearch, WordsFound, words_in
from cocadesk.vectors import unit_vectors

if TYPE_CHECKING:
    from cocadesk.library.library import Library
    from cocadesk.model.backend import Backend

MOMENTS_SHOWN = 100
"""Most moments returned for one video."""
_TEXTS_KEPT = 1024
Collapse: TypeAlias = Callable[[Sequence[str]], tuple[NDArray[np.integer], NDArray[np.int64]]]
"""Gives the places of the keys to show, and how many others each stands for."""
_SPARE_VIEWS = 16


@runtime_checkable
class CutsTexts(Protocol):
    """A backend that tells how much of a text its network reads."""

    def fitting(self, text: str) -> str:
        """So many of the text's first words as are read; the others change nothing."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A moment of a video that was found: its time, score and view number."""

    time_s: float
    score: float
    view: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A medium that was found.

    ``score`` is the cosine of its best view. ``moments`` are those of a video,
    best first (at most ``MOMENTS_SHOWN``), and ``time_s`` is the best one's
    (None for photos). ``picture_hash`` names the thumbnail, ``parts`` its other files and
    what each is. ``copies`` are the other media of its group that it stands for. ``by`` says
    what it was found by, ``told`` how much its own words tell, and the order of a list falls
    with ``rank`` (see ``ranking``).
    ``probability`` is that of its showing what the text says, and ``is_relevant`` is False
    where that is too low to be believed; None and True where it is not known.
    """

    key: str
    path: bytes
    score: float
    caption: str | None
    time_s: float | None
    kind: MediaKind = MediaKind.PHOTO
    state: MediaState = MediaState.PRESENT
    picture_hash: str = ""
    moments: tuple[Moment, ...] = ()
    parts: tuple[tuple[bytes, str], ...] = ()
    copies: int = 0
    rank: float = 0.0
    by: tuple[FoundBy, ...] = ()
    told: Told = Told.NOTHING
    probability: float | None = None
    is_relevant: bool = True

    @classmethod
    def of(
        cls,
        row: ResultRow,
        place: Place | None = None,
        *,
        moments: tuple[Moment, ...] = (),
        copies: int,
    ) -> Hit:
        """What is shown of a row; ``place`` is that in a search, and None in a list."""
        return cls(
            key=row.key,
            path=row.path,
            score=0.0 if place is None else place.score,
            caption=row.caption,
            time_s=moments[0].time_s if moments else None,
            kind=row.kind,
            state=row.state,
            picture_hash=row.picture_hash,
            moments=moments,
            parts=row.parts,
            copies=copies,
            rank=0.0 if place is None else place.rank,
            by=() if place is None else place.by,
            told=Told.NOTHING if place is None else place.told,
        )

    def judged(self, probability: float, *, is_relevant: bool) -> Hit:
        """The same with this probability; a search has hundreds, and ``replace`` is slow."""
        return Hit(
            key=self.key,
            path=self.path,
            score=self.score,
            caption=self.caption,
            time_s=self.time_s,
            kind=self.kind,
            state=self.state,
            picture_hash=self.picture_hash,
            moments=self.moments,
            parts=self.parts,
            copies=self.copies,
            rank=self.rank,
            by=self.by,
            told=self.told,
            probability=probability,
            is_relevant=is_relevant,
        )


class Searcher:
    """Searches one library with one model. Safe to use from several threads.

    Missing media are not shown unless a filter asks for a state; those on an
    unplugged disk are (their thumbnails are here). Works beside a running
    index: each search sees all that is committed by then. ``awaits_vectors``: a library
    that holds only vectors of another model gets this one's, and lacks them so far. Where a
    level of ``groups`` is asked for, only the first medium of each such group is given.
    ``calibrator`` gives the probabilities of what a text finds.
    """

    def __init__(
        self,
        library: Library | Snapshot,
        backend: Backend,
        *,
        groups: Groups | None = None,
        awaits_vectors: bool = False,
        calibrator: Calibrator | None = None,
    ) -> None:
        self._library = library
        self._groups = groups
        self._awaits_vectors = awaits_vectors
        self._calibrator = calibrator
        self._chooser, self._grouped = Chooser(library.results), Chooser(library.results)
        info = backend.info()
        self._image_id = info.image_id
        self.is_multilingual = info.is_multilingual
        """True where the model reads texts in any script."""
        self._ranker = Ranker(library, self._image_id)
        self._embed_texts = backend.embed_texts
        self._cuts = backend if isinstance(backend, CutsTexts) else None
        # The (D,) unit vectors of the last texts.
        self._texts: OrderedDict[str, NDArray[np.float32]] = OrderedDict()
        self._texts_lock = threading.Lock()

    def search(
        self,
        text: str,
        limit: int = 50,
        among: Filter = EVERYTHING,
        collapse: int | None = None,
        order: Order = OWN_ORDER,
    ) -> list[Hit]:
        """The ``limit`` media that fit ``text`` best, best first; only those that pass ``among``.

        Without a text, those that pass a filter, in that ``order`` and with no score.

        Raises:
            UserError: the text and the filter are empty, or the library was
                indexed with another model.
        """
        text = " ".join(text.split())
        if not text and not among:
            raise UserError(tr("There is nothing to search for."), "", tr("Type a few words."))
        if not text:
            return self.listed(limit, among, collapse, order)
        question = Question(vector=self.vector_of(text) if self.has_views() else None)
        words = self.word_search()
        if words is not None:
            found = words.find(text, words_of(text)[:MOST_WORDS])
            question = replace(question, words=found, keys=words.keys)
        return self.judged(self.best(question, limit, among, collapse), text, question.words)

    def vector_of(self, text: str) -> NDArray[np.float32]:
        """The unit vector (D,) of a text; the last ones are remembered."""
        return self.prepare_texts([text])[text]

    def read_part(self, text: str) -> str:
        """So much of a text as the model reads; all where it does not tell."""
        return text if self._cuts is None else self._cuts.fitting(text)

    def prepare_texts(self, texts: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """The unit vectors (D,) of several texts, made at once where they are not remembered."""
        with self._texts_lock:
            found = {text: self._texts[text] for text in texts if text in self._texts}
        new = [text for text in dict.fromkeys(texts) if text not in found]
        if new:
            found |= zip(new, self._embed_texts(new), strict=True)
        with self._texts_lock:
            for text in texts:
                self._texts[text] = found[text]
                self._texts.move_to_end(text)
            while len(self._texts) > _TEXTS_KEPT:
                self._texts.popitem(last=False)
        return found

    def word_search(self) -> WordSearch | None:
        """The words of the library; None where its columns are not in memory."""
        return words_in(self._library.results)

    def prepare(self) -> None:
        """Go through the words of the library, for which the first search would wait."""
        words = self.word_search()
        if words is not None:
            words.prepare()

    def background(self, vector: NDArray[np.float32]) -> tuple[float, float]:
        """Mean and spread of the cosines of the library's pictures to a vector (D,)."""
        return self._ranker.background(vector)

    def has_any(self, among: Filter) -> bool:
        """True where a list of what passes shows a medium."""
        return has_any(self._library.results, among)

    def similar(
        self,
        key: str,
        limit: int = 50,
        among: Filter = EVERYTHING,
        collapse: int | None = None,
    ) -> list[Hit]:
        """The ``limit`` media most like that of ``key``, without itself, that pass ``among``.

        Raises:
            UserError: the medium has no vectors of this model.
        """
        question = Question(vector=self.vectors_of([key])[key], without=frozenset([key]))
        return self.best(question, limit, among, collapse)

    def vectors_of(self, keys: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """The vector (D,) of the whole of each of these media.

        Raises:
            UserError: one of them has no vectors of this model.
        """
        stored = self._library.views.vectors_of(self._image_id, list(keys)) if keys else {}
        if not all(stored.get(key) for key in keys):
            raise UserError(
                tr("This photo or video has not been read by the model in use."),
                "",
                tr("Wait until that is done, or index its folder again."),
            )
        return {key: stored[key][0].vector for key in keys}

    def judged(self, hits: list[Hit], text: str, words: WordsFound | None = None) -> list[Hit]:
        """The hits with their probabilities, each by its view that is nearest to the text.

        What comes first, or of which people said the whole text, needs no belief. Where they
        said all of its words that were said of any medium, it is the others that must be seen:
        of "Ida in red" a photo of Ida has to show red. Without vectors, as they are.
        """
        if self._calibrator is None or not hits or not self.has_views():
            return hits
        likely = self._likely([hit.key for hit in hits], text)
        if likely is None:
            return hits
        named = [hit.key for hit in hits if hit.told is Told.NAMED]
        if words is not None and named:
            rest = [one for one in text.split() if not words.named.issuperset(words_of(one))]
            likely |= self._likely(named, " ".join(rest)) or {}
        return [self._with_probability(hit, likely.get(hit.key)) for hit in hits]

    def _likely(self, keys: Sequence[str], text: str) -> dict[str, float] | None:
        """The probabilities that those of these media that have vectors show a text."""
        assert self._calibrator is not None
        vector = self.vector_of(text)
        seen, vectors_ND = self._library.views.nearest_of(self._image_id, keys, vector)
        if not seen:
            return None
        found = self._calibrator.probabilities(text, vector, vectors_ND)
        return None if found is None else dict(zip(seen, found.tolist(), strict=True))

    def _with_probability(self, hit: Hit, likely: float | None) -> Hit:
        assert self._calibrator is not None
        if hit.told is Told.ALL:
            return hit.judged(1.0, is_relevant=True)
        if likely is None and not OWN_WORDS.isdisjoint(hit.by):
            return hit  # not read yet: its words are all that is known
        is_relevant = (likely or 0.0) >= self._calibrator.constants.shown_from
        return hit.judged(likely or 0.0, is_relevant=is_relevant)

    def _without_hidden(self, among: Filter) -> Filter:
        """The filter without what is hidden; the same where nothing is, as in most libraries."""
        columns = self._library.results.columns((HIDDEN,))
        has_none = columns is not None and not len(columns.texts(HIDDEN).texts)
        return among if has_none else unless_hidden(among)

    def _collapsing(self, level: int | None, among: Filter) -> Collapse:
        """Shows the first of each group, which tells of those of the others that pass."""
        if level is None or self._groups is None:
            return _shows_all
        groups, shown = self._groups.current(), self._grouped.chosen(unless_missing(among)).keys
        return lambda keys: groups.stands_for(keys, level, shown)

    def has_views(self) -> bool:
        """True where there is anything to search; vectors of another model don't count."""
        if self._library.views.has(self._image_id):
            return True
        if self._awaits_vectors or self._library.model in (None, self._image_id):
            return False
        raise UserError(
            tr("This library was indexed with another model."),
            tr(
                "It holds vectors of {model}, the model in use makes {image_id}.",
                model=self._library.model,
                image_id=self._image_id,
            ),
            tr("Index its folders again with this model, or search with the other one."),
        )

    def places(self, keys: Sequence[str], order: Order) -> Sequence[int]:
        """The places in ``keys``, the best match first, in another order."""
        return sorted_places(self._library.results, keys, order)

    def listed(self, limit: int, among: Filter, collapse: int | None, order: Order) -> list[Hit]:
        """The first ``limit`` media that pass a filter, in that order and with no score."""
        among = self._without_hidden(among)
        keys = ordered_matching(self._library.results, among, order)
        with_missing = "state" in among.fields()
        shown = self._shown(
            keys, limit, self._collapsing(collapse, among), with_missing=with_missing
        )
        return [Hit.of(row, copies=others) for row, others in zip(*shown, strict=True)]

    def best(
        self, question: Question, limit: int, among: Filter, collapse: int | None
    ) -> list[Hit]:
        """The ``limit`` media that answer a question best, best first."""
        among = self._without_hidden(among)
        chosen = within(question, self._chooser.chosen(among) if among else None)
        with_missing = "state" in among.fields()
        wanted = limit + _SPARE_VIEWS
        while limit > 0 and (chosen is None or chosen.keys):
            places, has_more = self._ranker.ranked(question, wanted, chosen)
            keys = [place.key for place in places]
            rows, copies = self._shown(
                keys, limit, self._collapsing(collapse, among), with_missing=with_missing
            )
            if len(rows) >= limit or not has_more:
                best = {place.key: place for place in places}
                return self._hits(rows, copies, best, question.vector)
            wanted *= 4
        return []

    def _shown(
        self, keys: Sequence[str], limit: int, collapse: Collapse, *, with_missing: bool
    ) -> tuple[list[ResultRow], list[int]]:
        """The rows of the first ``limit`` of ``keys`` that are there and may be shown.

        With them, how many others each stands for.
        """
        there: list[ResultRow] = []
        step = limit + _SPARE_VIEWS
        for start in range(0, len(keys), step):
            rows = self._library.results.of_keys(keys[start : start + step])
            there += [row for row in rows if with_missing or row.state is not MediaState.MISSING]
            if len(there) < limit:
                continue
            places, copies = collapse([row.key for row in there])
            if len(places) >= limit:
                break
            step *= 2  # most of a group of thousands: each look goes through all again
        else:
            places, copies = collapse([row.key for row in there])
        shown = [there[place] for place in places[:limit].tolist()]
        return shown, copies[:limit].tolist()

    def _hits(
        self,
        rows: Sequence[ResultRow],
        copies: Sequence[int],
        best: Mapping[str, Place],
        vector: NDArray[np.float32] | None,
    ) -> list[Hit]:
        """What is shown of ``rows``; of the videos among them each one's moments, best first."""
        # Of a photo, too, where a moment of its own video is what fits best.
        videos = [
            row.key
            for row in rows
            if row.kind is MediaKind.VIDEO
            or (row.parts and (view := best[row.key].nearest) is not None and view.view > 0)
        ]
        moments: dict[str, tuple[Moment, ...]] = {}
        if videos and vector is not None:
            stored = self._library.views.vectors_of(self._image_id, videos)
            moments = {key: best_moments(own, vector) for key, own in stored.items()}
        return [
            Hit.of(row, best[row.key], moments=moments.get(row.key, ()), copies=others)
            for row, others in zip(rows, copies, strict=True)
        ]


def _shows_all(keys: Sequence[str]) -> tuple[NDArray[np.integer], NDArray[np.int64]]:
    return np.arange(len(keys)), np.zeros(len(keys), np.int64)


def best_moments(stored: Sequence[StoredVector], vector: NDArray[np.float32]) -> tuple[Moment, ...]:
    """The moments among a video's vectors with their cosines to ``vector`` (D,), best first."""
    timed = [one for one in stored if one.time_s is not None]
    if not timed:
        return ()
    vectors_ND = np.stack([one.vector for one in timed])
    cosine_N = np.einsum("nd,d->n", vectors_ND, unit_vectors(vector))
    return tuple(
        Moment(time_s=timed[i].time_s or 0.0, score=float(cosine_N[i]), view=timed[i].view)
        for i in best_of(cosine_N, MOMENTS_SHOWN).tolist()
    )


@contextlib.contextmanager
def open_searcher(
    folder: Path, backend: Backend, *, calibrator: Calibrator | None = None
) -> Iterator[Searcher]:
    """A searcher for one command: over the snapshot where it is exact, else the library.

    The snapshot spares the import of LanceDB, most of a short command's time.

    Raises:
        UserError: there is no library, or it can't be read.
    """
    image_id = backend.info().image_id
    state = fingerprint(folder / STORE_FOLDER, (MEDIA, views_table(image_id)))
    snapshot = open_snapshot(folder, state, image_id) if state is not None else None
    # The names of albums are in the library alone.
    if snapshot is not None and not len(snapshot.columns((ALBUM,)).texts(ALBUM).texts):
        yield Searcher(snapshot, backend, groups=Groups(folder), calibrator=calibrator)
        return
    from cocadesk.library.library import Library  # here, because this imports LanceDB

    with Library.open(folder, writer=False) as library:
        groups = library.results.groups
        yield Searcher(library, backend, groups=groups, calibrator=calibrator)
