"""Groups of same pictures: the file that holds what was compared, and what searches need of it.

The file can always be made again (``indexing.grouping``); what people decide about groups
stands in the log of edits, and is repeated here so that a search needs no table.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Iterable, Sequence, Set
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cocadesk.library.atomic import written_atomically
from cocadesk.library.key_numbers import KeyList, KeyNumbers, KeySet
from cocadesk.library.layout import GROUPS_NAME
from cocadesk.library.linking import LEVELS, Pairs, groups_of
from cocadesk.library.parts_file import Parts, PartsWriter

log = logging.getLogger(__name__)

EXACT, SAME, BURST = range(LEVELS)
"""The levels of links, the closest first."""
PRINT_BYTES = 64
REFUSED = LEVELS
"""Of a link that joins nothing: its media are not the same beside others of their group."""
STATE = 3
"""The bits of a mark that are all set where the medium was compared with all others."""
AS_COPY = 2
"""The bits of a mark where another medium of the same picture was compared instead."""
_FORMAT = "groups 3"


def stored_keys(keys: Iterable[str]) -> NDArray[np.bytes_]:
    """Keys as the arrays hold them."""
    return np.array([key.encode() for key in keys], "S26")


def _places_in(known: NDArray[np.bytes_], keys: NDArray[np.bytes_]) -> NDArray[np.int32]:
    """The place of each key among sorted ones; -1 where there is none."""
    if not len(known) or not len(keys):
        return np.full(len(keys), -1, np.int32)
    places = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    return np.where(known[places] == keys, places, -1).astype(np.int32)


def no_pairs() -> Pairs:
    """None at all."""
    return np.zeros((0, 2), np.int32)


def no_labels() -> NDArray[np.uint8]:
    """Those of no pairs."""
    return np.zeros(0, np.uint8)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Compared:
    """All that is known of the likeness of media, which are named by their places in ``keys``.

    ``keys`` are sorted. ``marks`` tell whether a medium has changed since; ``prints`` are
    tiny pictures (zeros: none), ``sharpness`` is NaN where it was not measured. ``pairs`` are
    links, with a level each in ``labels`` and in ``left`` what was left between the pictures
    (0: hashes are equal, NaN: they are a burst); ``apart`` are pairs that a person set apart.
    ``former`` are links of an earlier comparison, which count until the one that makes all
    anew is whole.
    """

    keys: NDArray[np.bytes_]
    marks: NDArray[np.uint64]
    sizes: NDArray[np.int64]
    prints: NDArray[np.int8]
    sharpness: NDArray[np.float32]
    pairs: Pairs = field(default_factory=no_pairs)
    labels: NDArray[np.uint8] = field(default_factory=no_labels)
    left: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32))
    apart: Pairs = field(default_factory=no_pairs)
    former: Pairs = field(default_factory=no_pairs)
    former_labels: NDArray[np.uint8] = field(default_factory=no_labels)

    @classmethod
    def nothing(cls) -> Compared:
        """No media at all."""
        return cls.of(stored_keys(()), np.zeros(0, np.uint64), np.zeros(0, np.int64))

    @classmethod
    def of(
        cls, keys: NDArray[np.bytes_], marks: NDArray[np.uint64], sizes: NDArray[np.int64]
    ) -> Compared:
        """These media, of which nothing is known yet."""
        return cls(
            keys=keys,
            marks=marks,
            sizes=sizes,
            prints=np.zeros((len(keys), PRINT_BYTES), np.int8),
            sharpness=np.full(len(keys), np.nan, np.float32),
        )

    def places(self, keys: NDArray[np.bytes_]) -> NDArray[np.int32]:
        """The place of each key; -1 where there is none."""
        return _places_in(self.keys, keys)

    def pairs_of(self, pairs: Collection[tuple[str, str]]) -> Pairs:
        """Pairs of keys as pairs of places, those that are known."""
        if not pairs:
            return no_pairs()
        named = stored_keys(key for pair in pairs for key in pair)
        found = self.places(named).reshape(-1, 2)
        return found[(found >= 0).all(axis=1)]

    def only(self, is_kept: NDArray[np.bool_]) -> Compared:
        """The media for which the mask is True, and the links between them."""
        new_place = np.where(is_kept, np.cumsum(is_kept) - 1, -1).astype(np.int32)
        pairs, apart, former = (new_place[own] for own in (self.pairs, self.apart, self.former))
        linked, was_linked = ((own >= 0).all(axis=1) for own in (pairs, former))
        return Compared(
            keys=self.keys[is_kept],
            marks=self.marks[is_kept],
            sizes=self.sizes[is_kept],
            prints=self.prints[is_kept],
            sharpness=self.sharpness[is_kept],
            pairs=pairs[linked],
            labels=self.labels[linked],
            left=self.left[linked],
            apart=apart[(apart >= 0).all(axis=1)],
            former=former[was_linked],
            former_labels=self.former_labels[was_linked],
        )

    def outdated(self) -> Compared:
        """The same media, to be compared anew; the links there are count until that is done."""
        known = Compared.of(self.keys, self.marks & ~np.uint64(STATE), self.sizes)
        return replace(
            known,
            apart=self.apart,
            former=np.concatenate([self.pairs, self.former]),
            former_labels=np.concatenate([self.labels, self.former_labels]),
        )


_ARRAYS = tuple(one.name for one in fields(Compared))


@dataclass(frozen=True, kw_only=True, eq=False)
class MediaGroups:
    """The groups of a library at one time; a value that never changes.

    ``keys`` (sorted) are the media that are in any group; ``firsts`` says for each level the
    place of the first medium of its group. ``compared`` media were compared with all others.
    """

    keys: NDArray[np.bytes_]
    sizes: NDArray[np.int64]
    sharpness: NDArray[np.float32]
    firsts: NDArray[np.int32]
    compared: int = 0

    @classmethod
    def of(cls, compared: Compared) -> MediaGroups:
        """Those of what was compared."""
        pairs = np.concatenate([compared.pairs, compared.former])
        labels = np.concatenate([compared.labels, compared.former_labels])
        firsts = groups_of(len(compared.keys), pairs, labels, compared.apart)
        is_grouped = np.bincount(firsts[-1], minlength=len(compared.keys))[firsts[-1]] > 1
        new_place = (np.cumsum(is_grouped) - 1).astype(np.int32)
        return cls(
            keys=compared.keys[is_grouped],
            sizes=compared.sizes[is_grouped],
            sharpness=compared.sharpness[is_grouped],
            firsts=new_place[firsts[:, is_grouped]],
            compared=int(np.count_nonzero((compared.marks & np.uint64(STATE)) >= AS_COPY)),
        )

    def without(self, keys: Collection[str]) -> MediaGroups:
        """The groups as they are where these media are left out of account."""
        places = self.places(list(keys))
        is_kept = np.ones(len(self.keys), np.bool_)
        is_kept[places[places >= 0]] = False
        if is_kept.all():
            return self
        firsts = np.zeros((LEVELS, int(np.count_nonzero(is_kept))), np.int32)
        for level, own in enumerate(self.firsts):
            _, first, group = np.unique(own[is_kept], return_index=True, return_inverse=True)
            firsts[level] = first[group]
        return replace(
            self,
            keys=self.keys[is_kept],
            sizes=self.sizes[is_kept],
            sharpness=self.sharpness[is_kept],
            firsts=firsts,
        )

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """The number of media of each one's group, by level."""
        if not len(self.keys):
            return np.zeros((LEVELS, 0), np.int64)
        return np.stack([np.bincount(own, minlength=len(own))[own] for own in self.firsts])

    def places(self, keys: Sequence[str]) -> NDArray[np.int32]:
        """The place of each key; -1 where it is in no group."""
        return _places_in(self.keys, stored_keys(keys))

    def places_in(self, keys: Sequence[str]) -> NDArray[np.int32]:
        """As ``places``, for a list of many keys: by their numbers where they have some."""
        if not isinstance(keys, KeyList):
            return self.places(keys)
        return np.asarray(self._places_of(keys.keys)[keys.numbers], np.int32)

    def _places_of(self, keys: KeyNumbers) -> NDArray[np.int32]:
        """The place of each number (-1: in no group), and a last -1 for keys without one."""
        known = self._place_of.get(id(keys))
        if known is None or len(known[1]) != len(keys) + 1:
            place_of = np.full(len(keys) + 1, -1, np.int32)
            numbers = keys.numbers([key.decode() for key in self.keys.tolist()])
            place_of[numbers] = np.arange(len(numbers), dtype=np.int32)
            place_of[-1] = -1  # those without a number
            known = self._place_of[id(keys)] = keys, place_of
        return known[1]

    @cached_property
    def _place_of(self) -> dict[int, tuple[KeyNumbers, NDArray[np.int32]]]:
        """The place of each number, for those that were asked for (and with them, so that no
        others come at their address)."""
        return {}

    def key(self, place: int) -> str:
        """The key of the medium at a place."""
        return bytes(self.keys[place]).decode()

    def members(self, level: int, first: int) -> NDArray[np.intp]:
        """The places of all media of a group."""
        order, ordered = self._orders[level]
        start, end = np.searchsorted(ordered, [first, first + 1])
        return order[start:end]

    @cached_property
    def _orders(self) -> list[tuple[NDArray[np.intp], NDArray[np.int32]]]:
        orders = [np.argsort(own, kind="stable") for own in self.firsts]
        return [(order, own[order]) for order, own in zip(orders, self.firsts, strict=True)]

    def stands_for(
        self, keys: Sequence[str], level: int, among: Set[str]
    ) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
        """The places in ``keys`` of the first of each group, and how many others each has.

        Of the others those in ``among`` count.
        """
        places = self.places(keys)
        shown, _ = self.first_of_each(places, level)
        is_in = places[shown] >= 0
        others = np.zeros(len(shown), np.int64)
        if is_in.any():
            groups = self.firsts[level][places[shown][is_in]]
            counts = np.bincount(
                self.firsts[level][self._those_in(among, level, groups)], minlength=len(self.keys)
            )
            others[is_in] = np.maximum(counts[groups] - 1, 0)
        return shown, others

    def _those_in(
        self, among: Set[str], level: int, groups: NDArray[np.int32]
    ) -> NDArray[np.integer]:
        """The places of members of ``groups`` whose keys are in ``among``; maybe others' too."""
        if isinstance(among, KeySet):
            place_of = self._places_of(among.keys)[:-1]
            count = min(len(place_of), len(among.mask))
            found = place_of[:count][among.mask[:count]]
            return found[found >= 0]
        members = np.flatnonzero(np.isin(self.firsts[level], groups))
        is_there = [self.key(place) in among for place in members.tolist()]
        return members[np.array(is_there, np.bool_)]

    def first_of_each(
        self, places: NDArray[np.int32], level: int
    ) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
        """The first of each group among the places of media (-1: in no group).

        With it, how many others of the group are among them.
        """
        if not len(self.keys) or not len(places):
            return np.arange(len(places)), np.zeros(len(places), np.int64)
        is_in = places >= 0
        group = np.where(is_in, self.firsts[level][places], -1 - np.arange(len(places)))
        shown = np.sort(np.unique(group, return_index=True)[1])
        counts = np.bincount(group[is_in], minlength=len(self.keys))
        others = np.where(is_in[shown], counts[np.maximum(group[shown], 0)] - 1, 0)
        return shown, others

    def of_label(self, label: int | None) -> NDArray[np.int32]:
        """The first media of the groups whose loosest link is of this level, by spare bytes.

        Those with the most bytes beside their largest file come first. None: the largest
        group of each medium.
        """
        level = BURST if label is None else label
        own = self.firsts[level]
        found = np.flatnonzero(own == np.arange(len(own)))
        is_group = self.counts[level][found] > 1
        if label:  # at a closer level it is another group, or several
            is_group &= self.counts[level][found] != self.counts[label - 1][found]
        found = found[is_group]
        order = np.argsort(-self.spare_bytes(level)[found], kind="stable")
        return np.asarray(found[order], np.int32)

    def label_of(self, first: int) -> int:
        """The level of the loosest link of a largest group, by its first medium."""
        count = self.counts[BURST][first]
        return next(level for level in range(LEVELS) if self.counts[level][first] == count)

    def spare_bytes(self, level: int) -> NDArray[np.int64]:
        """For the first medium of each group the bytes of all its files but the largest."""
        return self._spare[level]

    @cached_property
    def _spare(self) -> list[NDArray[np.int64]]:
        found = []
        for own in self.firsts:
            whole, most = np.zeros((2, len(own)), np.int64)
            np.add.at(whole, own, self.sizes)
            np.maximum.at(most, own, self.sizes)
            found.append(whole - most)
        return found


NO_GROUPS = MediaGroups.of(Compared.nothing())


class Groups:
    """The file of groups of one library. Any thread; its writer alone changes it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / GROUPS_NAME
        self._lock = threading.Lock()
        self._known: tuple[tuple[int, ...], MediaGroups] | None = None

    def current(self) -> MediaGroups:
        """The groups as they are now; the same value as long as nothing has changed."""
        state = self._state()
        with self._lock:
            if self._known is None or self._known[0] != state:
                parts = self._parts() if state else None
                self._known = state, NO_GROUPS if parts is None else _groups_in(parts)
            return self._known[1]

    def _state(self) -> tuple[int, ...]:
        try:
            found = self._path.stat()
        except OSError:
            return ()
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _parts(self) -> Parts | None:
        try:
            parts = Parts.of_file(self._path)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            log.warning("the groups of same pictures are made anew: %s", error)
            return None
        return parts if parts.about[0] == _FORMAT else None

    def compared(self, image_id: str) -> Compared:
        """All that was compared with vectors of ``image_id``; nothing where it was others'."""
        parts = self._parts()
        if parts is None or parts.about[1] != image_id:
            return Compared.nothing()
        return _compared_in(parts)

    def outdated(self) -> Compared:
        """The media of the file, whatever model it is of, to be compared anew."""
        parts = self._parts()
        return Compared.nothing() if parts is None else _compared_in(parts).outdated()

    def write(self, compared: Compared, image_id: str) -> MediaGroups:
        """Let this be all that was compared.

        Raises:
            UserError: the disk is full or refuses.
        """
        groups = MediaGroups.of(compared)
        with self._lock, written_atomically(self._path, durable=False) as file:
            writer = PartsWriter(file)
            for name in _ARRAYS:
                writer.add(name, getattr(compared, name))
            for name in _GROUP_ARRAYS:
                writer.add(f"group {name}", getattr(groups, name))
            writer.finish([_FORMAT, image_id, groups.compared])
        return groups

    def set_apart(self, pairs: Collection[tuple[str, str]]) -> bool:
        """Let these be all pairs that people set apart; True where that was news."""
        parts = self._parts()
        if parts is None:
            return False
        compared, image_id = _compared_in(parts), parts.about[1]
        apart = compared.pairs_of(sorted(pairs))
        if np.array_equal(apart, compared.apart):
            return False
        self.write(replace(compared, apart=apart), image_id)
        return True

    def erase(self, keys: Collection[str]) -> None:
        """Leave nothing of these media in the file.

        Raises:
            UserError: the disk refuses.
        """
        parts = self._parts()
        if parts is None:
            self._path.unlink(missing_ok=True)
            return
        compared, image_id = _compared_in(parts), parts.about[1]
        gone = compared.places(stored_keys(keys))
        is_kept = np.ones(len(compared.keys), np.bool_)
        is_kept[gone[gone >= 0]] = False
        self.write(compared.only(is_kept), image_id)


_GROUP_ARRAYS = ("keys", "sizes", "sharpness", "firsts")


def _compared_in(parts: Parts) -> Compared:
    return Compared(**{name: np.array(parts.array(name)) for name in _ARRAYS})


def _groups_in(parts: Parts) -> MediaGroups:
    arrays: dict[str, NDArray[Any]] = {n: parts.array(f"group {n}") for n in _GROUP_ARRAYS}
    return MediaGroups(**arrays, compared=parts.about[2])
