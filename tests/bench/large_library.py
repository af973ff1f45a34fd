"""A library of as many made-up photos as one likes, whose vectors lie like those of real ones.

Real vectors are enlarged by mixing: each made-up one lies between a real photo and one of
the photos nearest to it, moved by a part of the difference of two others, so that the
spread in each direction and the neighbourhoods are those of photos.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from cocadesk.library.layout import MEDIA, STORE_FOLDER, views_table
from cocadesk.library.library import Library
from cocadesk.library.schema import TABLES, vectors_to_arrow, views_schema
from cocadesk.library.store import Store
from cocadesk.media.photo.decode import decode_photo
from cocadesk.media.shards import read_shards
from cocadesk.model.backend import Backend
from cocadesk.vectors import unit_vectors

AT_ONCE = 20_000
_DECODED_AT_ONCE = 64
_NEIGHBOURS = 16
_MOVED = 0.35


def real_vectors(backend: Backend, shards: Sequence[Path], count: int) -> NDArray[np.float32]:
    """(N, D) vectors of the first photos of the shards, at most ``count``."""
    spec = backend.info().input_spec
    samples = itertools.islice(read_shards(shards), count)
    found = []
    while part := list(itertools.islice(samples, _DECODED_AT_ONCE)):
        pictures = np.stack([decode_photo(one.image, spec).input_HWC for one in part])
        found.append(backend.embed_images(pictures))
    return np.concatenate(found)


class VectorSource:
    """Draws vectors like the ``real_ND`` ones; the same for the same seed."""

    def __init__(self, real_ND: NDArray[np.float32], seed: int = 0) -> None:
        self._real_ND = unit_vectors(real_ND)
        cosine_NN = self._real_ND @ self._real_ND.T
        count = min(_NEIGHBOURS, len(real_ND) - 1)
        self._near_NK = np.argpartition(-cosine_NN, count, axis=1)[:, : count + 1]
        self._rng = np.random.default_rng(seed)

    def draw(self, count: int) -> NDArray[np.float32]:
        """(count, D) unit vectors as a table holds them, in halves of float32's length."""
        rng, real_ND = self._rng, self._real_ND
        first = rng.integers(0, len(real_ND), count)
        near = self._near_NK[first, rng.integers(0, self._near_NK.shape[1], count)]
        share_N1 = rng.uniform(0.4, 1, (count, 1)).astype(np.float32)
        one, other = rng.integers(0, len(real_ND), (2, count))
        mixed = real_ND[first] * share_N1 + real_ND[near] * (1 - share_N1)
        mixed += _MOVED * (real_ND[one] - real_ND[other])
        stored = unit_vectors(mixed).astype(np.float16)
        return unit_vectors(stored.astype(np.float32))


def _filled(schema: pa.Schema, rows: int, values: dict[str, object]) -> pa.Table:
    """A table in which all columns but those given are empty."""
    arrays = []
    for field in schema:
        if field.name in values:
            arrays.append(pa.array(values[field.name], field.type))
        elif field.nullable:
            arrays.append(pa.nulls(rows, field.type))
        else:
            kind = field.type
            is_list = pa.types.is_list(kind)
            is_text = pa.types.is_string(kind) or pa.types.is_binary(kind)
            nothing: object = [] if is_list else "" if is_text else False
            if pa.types.is_integer(kind) or pa.types.is_floating(kind):
                nothing = 0
            arrays.append(pa.array([nothing] * rows, kind))
    return pa.Table.from_arrays(arrays, schema=schema)


def keys_of(numbers: range) -> list[str]:
    """The keys of the photos of these numbers."""
    return [f"01J{number:023d}" for number in numbers]


def media_table(image_id: str, numbers: range, **values: object) -> pa.Table:
    """The rows of media. Half were taken before 2010, a twentieth by a Leica, few are rare.

    ``values`` are columns that are to be other ones.
    """
    count = len(numbers)
    folders = [f"/photos/{number // 500:05d}" for number in numbers]
    taken = [
        np.datetime64("2000-01-01T08:00:00", "us") + np.timedelta64(number * 7919 % 7305, "D")
        for number in numbers
    ]
    words = [f"{number:x}" for number in numbers]
    return _filled(
        TABLES[MEDIA],
        count,
        {
            "key": keys_of(numbers),
            "root": [b"/photos"] * count,
            "path": [
                f"{folder}/IMG_{number:07d}.jpg".encode()
                for folder, number in zip(folders, numbers, strict=True)
            ],
            "folder_text": [f"{folder}/" for folder in folders],
            "name_text": [f"img_{number:07d}.jpg" for number in numbers],
            "kind": ["photo"] * count,
            "state": ["present"] * count,
            "format": ["JPEG"] * count,
            "size_bytes": [2_000_000 + number for number in numbers],
            "mtime_ns": [1_500_000_000_000_000_000 + number for number in numbers],
            "volume": ["2:66306"] * count,
            "file_hash": [f"{number * 2654435761:032x}" for number in numbers],
            "picture_hash": [f"{number * 2246822519:032x}" for number in numbers],
            "width": [4000] * count,
            "height": [3000] * count,
            "taken_local": taken,
            "taken": taken,
            "camera": ["Leica Q2" if n * 31 % 20 == 7 else "NIKON D90" for n in numbers],
            "keywords": [["rare"] if n * 37 % 1000 == 3 else ["holiday"] for n in numbers],
            "embedded": [[image_id]] * count,
            "machine_caption": [f"a dog {word[:2]} runs over the grass {word}" for word in words],
            "machine_caption_model": ["m"] * count,
            "machine_tags": [
                [{"tag": tag, "score": 0.5} for tag in ("dog", "animal", "grass")]
            ] * count,
            "machine_tag_names": [["dog", "animal", "grass"]] * count,
            "machine_tags_model": ["m"] * count,
            **values,
        },
    )  # fmt: skip


def views_of(numbers: range, vectors_ND: NDArray[np.float32]) -> pa.Table:
    """The rows of views, one a photo."""
    schema = views_schema(vectors_ND.shape[1])
    plain = pa.schema([field for field in schema if field.name != "vector"])
    count = len(numbers)
    table = _filled(
        plain,
        count,
        {
            "key": keys_of(numbers),
            "view": [0] * count,
            "picture_hash": [f"{number * 2246822519:032x}" for number in numbers],
            "shows": ["whole"] * count,
            "root": [b"/photos"] * count,
            "folder_text": [f"/photos/{number // 500:05d}/" for number in numbers],
            "kind": ["photo"] * count,
        },
    )
    return table.append_column(schema.field("vector"), vectors_to_arrow(vectors_ND))


def fill(
    folder: Path, image_id: str, source: VectorSource, count: int
) -> Iterator[NDArray[np.float32]]:
    """Make a library of ``count`` photos; gives their vectors, a part at a time."""
    with Library.open(folder) as library:
        library.views.create(image_id, source.draw(1).shape[1])
        library.set_model(image_id)
    store = Store(folder / STORE_FOLDER, read_only=False)
    for start in range(0, count, AT_ONCE):
        numbers = range(start, min(count, start + AT_ONCE))
        vectors_ND = source.draw(len(numbers))
        store.append(views_table(image_id), views_of(numbers, vectors_ND))
        store.append(MEDIA, media_table(image_id, numbers))
        yield vectors_ND
    store.close()


def exact_best(
    query_QD: NDArray[np.float32],
    parts: Iterator[NDArray[np.float32]] | Sequence[NDArray[np.float32]],
    masks: dict[str, NDArray[np.bool_]],
    limit: int,
) -> dict[str, NDArray[np.intp]]:
    """By name of the mask the (Q, limit) numbers of the nearest, by a plain product of all.

    Fewer where fewer pass.
    """
    shape = (len(query_QD), limit)
    best = {name: (np.full(shape, -2, np.float32), np.zeros(shape, np.intp)) for name in masks}
    start = 0
    for part_ND in parts:
        cosine_QN = query_QD @ part_ND.T
        for name, mask in masks.items():
            among = np.flatnonzero(mask[start : start + len(part_ND)])
            known, numbers = best[name]
            scores = np.concatenate([known, cosine_QN[:, among]], axis=1)
            owners = np.concatenate(
                [numbers, np.broadcast_to(among + start, (len(query_QD), len(among)))], axis=1
            )
            order = np.argpartition(-scores, limit - 1, axis=1)[:, :limit]
            best[name] = (
                np.take_along_axis(scores, order, 1),
                np.take_along_axis(owners, order, 1),
            )
        start += len(part_ND)
    ordered = {}
    for name, (scores, numbers) in best.items():
        few = min(limit, int(masks[name][:start].sum()))
        ordered[name] = np.take_along_axis(numbers, np.argsort(-scores, axis=1)[:, :few], 1)
    return ordered
