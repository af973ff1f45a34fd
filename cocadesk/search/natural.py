"""The natural order of many texts at once: img2 comes before img10.

Nothing loops over the texts in Python: a million names take some tenths of a second.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cocadesk.library.texts import Texts

_ZERO, _NINE = np.uint8(ord("0")), 9
_WORD_BYTES = 8


def natural_ranks(texts: Texts) -> NDArray[np.int64]:
    """The rank of each text in natural order; equal ones share one. (N,), not dense.

    Digits in a row count as one number. Bytes of UTF-8 sort as their letters do.
    """
    sortable = _with_lengths(texts)
    lengths = np.diff(sortable.offsets)
    data = np.concatenate([sortable.data, np.zeros(_WORD_BYTES, np.uint8)])
    words = np.lib.stride_tricks.sliding_window_view(data, _WORD_BYTES)
    ranks = np.zeros(len(texts), np.int64)
    tied = np.arange(len(texts))
    start = _common_bytes(sortable, lengths)
    while len(tied) > 1:
        # Tied texts begin alike: the next eight bytes of each decide.
        of_tied = ranks[tied]
        found = _words_at(words, sortable.offsets[tied], lengths[tied], start)
        order, is_first = _in_runs(of_tied, found)
        firsts = np.flatnonzero(is_first)
        sizes = np.diff(np.append(firsts, len(order)))
        # The old rank, and the number of its ties before this run's first.
        starts_old = np.flatnonzero(np.diff(of_tied[order], prepend=-1) != 0)
        before = firsts - starts_old[np.searchsorted(starts_old, firsts, side="right") - 1]
        ranks[tied[order]] = of_tied[order] + np.repeat(before, sizes)
        start += _WORD_BYTES
        is_open = np.repeat(sizes > 1, sizes)
        tied = tied[order][is_open]
        tied = tied[_in_open_runs(ranks[tied], lengths[tied] > start)]
    return ranks


def _in_open_runs(ranks: NDArray[np.int64], goes_on: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """True for texts of a run of equal ``ranks`` in which any goes on."""
    if not len(ranks):
        return goes_on
    firsts = np.flatnonzero(np.diff(ranks, prepend=-1) != 0)
    sizes = np.diff(np.append(firsts, len(ranks)))
    return np.repeat(np.logical_or.reduceat(goes_on, firsts), sizes)


def _in_runs(
    ranks: NDArray[np.int64], words: NDArray[np.uint64]
) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """The order by ``ranks``, then ``words``, and True for the first of each equal run."""
    if ranks[0] == ranks[-1] and (ranks == ranks[0]).all():
        order = np.argsort(words)
        ordered = words[order]
        is_first = np.ones(len(order), np.bool_)
        is_first[1:] = ordered[1:] != ordered[:-1]
        return order, is_first
    by_word = _ranked(words)
    both = ranks * (int(by_word.max()) + 1) + by_word
    order = np.argsort(both)
    return order, np.diff(both[order], prepend=-1) != 0


def _ranked(values: NDArray[np.uint64]) -> NDArray[np.int64]:
    """The dense rank of each value: small numbers in the same order."""
    order = np.argsort(values)
    ordered = values[order]
    ranks = np.empty(len(values), np.int64)
    is_new = np.ones(len(values), np.bool_)
    is_new[1:] = ordered[1:] != ordered[:-1]
    ranks[order] = np.cumsum(is_new) - 1
    return ranks


def _words_at(
    words: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    lengths: NDArray[np.int64],
    start: int,
) -> NDArray[np.uint64]:
    """Eight bytes of each text from ``start`` as one number, zeros behind its end."""
    left = np.clip(lengths - start, 0, _WORD_BYTES)
    found = words[np.where(left > 0, offsets + start, 0)].copy().view(">u8").ravel()
    number = found.astype(np.uint64)
    keep = ~np.uint64(0) << ((_WORD_BYTES - left) * 8 % 64).astype(np.uint64)
    return np.where(left > 0, number & keep, np.uint64(0))


def _common_bytes(texts: Texts, lengths: NDArray[np.int64]) -> int:
    """The number of bytes with which all texts begin alike: IMG_, as a rule."""
    if not len(lengths):
        return 0
    first = texts.bytes_of(0)[: int(lengths.min())]
    starts = texts.offsets[:-1]
    for place, byte in enumerate(first):
        if (texts.data[starts + place] != byte).any():
            return place
    return len(first)


def _with_lengths(texts: Texts) -> Texts:
    """The texts with a byte before each number that says how many digits it has.

    So their bytes in order are the texts in natural order. Zeros in front of a number go; of
    more than eight digits the length stands in a second byte.
    """
    data, offsets = texts.data, texts.offsets
    if not len(data):
        return texts
    begins = np.zeros(len(data) + 1, np.bool_)
    begins[offsets] = True
    is_digit = (data - _ZERO) <= _NINE
    follows = np.zeros(len(data), np.bool_)
    follows[1:] = is_digit[:-1]
    follows &= ~begins[:-1]
    firsts = np.flatnonzero(is_digit & ~follows)
    ends = np.zeros(len(data), np.bool_)
    ends[:-1] = is_digit[1:]
    ends &= ~begins[1:]
    lasts = np.flatnonzero(is_digit & ~ends)
    lengths = lasts - firsts + 1
    kept = np.ones(len(data), np.bool_)
    dropped = _drop_zeros(data, kept, firsts, lengths)
    lengths = lengths - dropped
    # The length before the first digit that stays; the last digit always stays.
    places = lasts - lengths + 1
    is_long = lengths > _NINE - 1
    inserted = 1 + is_long.astype(np.int64)
    # Of what stands before each number so many bytes go, and so many come.
    moved = np.concatenate([[0], np.cumsum(inserted - dropped)])
    at = places + moved[:-1] - dropped
    is_kept_place = np.ones(len(data) + int(moved[-1]), np.bool_)
    is_kept_place[at] = False
    is_kept_place[at[is_long] + 1] = False
    made = np.empty(len(is_kept_place), np.uint8)
    made[is_kept_place] = data[kept]
    made[at] = _ZERO + np.minimum(lengths, _NINE).astype(np.uint8)
    made[at[is_long] + 1] = np.minimum(lengths[is_long], 255).astype(np.uint8)
    return Texts(made, offsets + moved[np.searchsorted(firsts, offsets)])


def _drop_zeros(
    data: NDArray[np.uint8],
    kept: NDArray[np.bool_],
    firsts: NDArray[np.intp],
    lengths: NDArray[np.intp],
) -> NDArray[np.intp]:
    """Mark zeros in front of numbers as not ``kept``; gives how many each number has."""
    dropped = np.zeros(len(firsts), np.intp)
    open_runs = np.flatnonzero(lengths > 1)
    at = 0
    while len(open_runs):
        places = firsts[open_runs] + at
        is_zero = data[places] == _ZERO
        kept[places[is_zero]] = False
        open_runs = open_runs[is_zero]
        dropped[open_runs] += 1
        at += 1
        open_runs = open_runs[lengths[open_runs] > at + 1]
    return dropped
