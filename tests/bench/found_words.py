"""Words and pictures in one search: is what a person wrote found first, and what does fusing give?

Measured by ``bench_search.py``. The photos are those of shards with captions, so the truth is
known: a photo gets invented names of persons as tags at random, and a query is a name and what
the photo's caption says of the person ("Ida on a swing").
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cocadesk.library.catalogue import COLUMN_FIELDS, OWN_CAPTION, OWN_TAG
from cocadesk.library.columns import MediaColumns, column_of
from cocadesk.library.key_numbers import KeyNumbers
from cocadesk.library.library import Library
from cocadesk.library.rows import MediaChange, MediaRow, ViewRow, new_key
from cocadesk.library.words import words_of
from cocadesk.search.asking import Asked, Asker
from cocadesk.search.filters import EVERYTHING
from cocadesk.search.ranking import Question
from cocadesk.search.searcher import Hit, Searcher
from cocadesk.search.word_search import WORD_COLUMNS, WordSearch

_NAMES = (
    "Ida Jonas Mara Oskar Lena Emil Frieda Anton Clara Theo "
    "Nora Paul Greta Karl Rosa Hugo Alma Fritz Ella Otto"
)
NAMES = _NAMES.split()
NAMED_SHARE = 0.3
FIRST = 5
_USUAL = (
    "a man in red shirt rides the green bicycle along wet street while children play ball near "
    "old stone wall under blue summer sky dog cat boat lake mountain snow table cake"
)
_COMMON = _USUAL.split()
_PERSON = re.compile(
    r"(?:a|an|the|one)\s+(?:\w+\s+){0,2}?(?:girl|boy|man|woman|child|person|kid|lady|guy|dog)\s+"
    r"(.+?)\s*\.?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """A photo of the measurement: its vector (D,), captions, and what a person wrote of it."""

    key: str
    vector: NDArray[np.float32]
    captions: tuple[str, ...]
    path: str
    tag: str = ""
    own_caption: str = ""


def made_photos(
    vectors_ND: NDArray[np.float32], captions: Sequence[Sequence[str]], count: int
) -> list[Photo]:
    """``count`` photos: the real ones, then some whose vectors lie around theirs.

    Three in ten have a name as tag, each tenth a caption of its own; names of files and
    folders are all different.
    """
    rng, noise = random.Random(0), np.random.default_rng(0)
    photos, said = [], set[str]()
    for number in range(count):
        real = number < len(vectors_ND)
        vector = vectors_ND[number % len(vectors_ND)]
        if not real:
            vector = vector + noise.standard_normal(len(vector)) * 0.5 / len(vector) ** 0.5
            vector = (vector / np.linalg.norm(vector)).astype(np.float32)
        own = captions[number % len(captions)]
        caption = rng.choice(list(own)) if number % 10 == 0 else ""
        is_new = bool(words_of(caption)) and tuple(words_of(caption)) not in said
        said.add(tuple(words_of(caption)))  # type: ignore[arg-type]
        photos.append(
            Photo(
                key=new_key(),
                vector=vector,
                captions=tuple(own) if real else (),
                path=f"/photos/Trip {number // 50:02d}/DSC_{number * 7 + 1000:06d}.JPG",
                tag=rng.choice(NAMES) if rng.random() < NAMED_SHARE else "",
                own_caption=caption if is_new else "",
            )
        )
    return photos


def filled(library: Library, image_id: str, photos: Sequence[Photo]) -> None:
    """Commits the photos to a library."""
    library.views.create(image_id, len(photos[0].vector))
    rows = [
        MediaRow(
            key=photo.key,
            root=b"/photos",
            path=photo.path.encode(),
            size_bytes=1000,
            mtime_ns=1,
            file_hash=f"{number:032x}",
            picture_hash=f"{number:032x}",
            embedded=(image_id,),
            human_tags_added=(photo.tag,) if photo.tag else (),
            human_caption=photo.own_caption or None,
        )
        for number, photo in enumerate(photos)
    ]
    library.views.commit(
        image_id,
        [
            ViewRow(
                key=row.key,
                view=0,
                picture_hash=row.picture_hash,
                vector=photo.vector,
                root=row.root,
                folder_text=row.folder_text,
            )
            for row, photo in zip(rows, photos, strict=True)
        ],
    )
    library.media.commit([MediaChange(row=row, is_new=True) for row in rows])
    library.set_model(image_id)
    library.tidy()


def own_words_first(searcher: Searcher, photos: Sequence[Photo], queries: int) -> dict[str, float]:
    """The share of queries of each kind whose right photos all come first."""
    asker = Asker(searcher, _no_picture)
    rng = random.Random(1)
    kinds: dict[str, Callable[[Photo], str]] = {
        "tag": lambda photo: photo.tag,
        "caption": lambda photo: photo.own_caption,
        "name": lambda photo: photo.path.rpartition("/")[2],
        "name without extension": lambda photo: photo.path.rpartition("/")[2].partition(".")[0],
        "folder": lambda photo: photo.path.split("/")[2],
    }
    shares = {}
    for kind, value in kinds.items():
        texts = sorted({text for photo in photos if (text := value(photo))})
        right = 0
        asked = rng.sample(texts, min(queries, len(texts)))
        for text in asked:
            truth = {photo.key for photo in photos if value(photo) == text}
            found = asker.ask(Asked(text=text), len(truth)).hits
            right += {hit.key for hit in found} == truth
        shares[kind] = right / len(asked)
    return shares


def _no_picture(path: str) -> NDArray[np.float32]:
    raise ValueError(path)


def mixed_queries(photos: Sequence[Photo], count: int) -> list[tuple[str, str]]:
    """Queries of a name and a thing that is seen, and the key of the photo that each means."""
    rng = random.Random(2)
    found = []
    for photo in photos:
        said = [match[1] for text in photo.captions if (match := _PERSON.fullmatch(text))]
        if photo.tag and said:
            found.append((f"{photo.tag} {rng.choice(said)}", photo.key))
    rng.shuffle(found)
    return found[:count]


def recalls(searcher: Searcher, queries: Sequence[tuple[str, str]]) -> dict[str, float]:
    """R@5 of fused, of pictures alone and of words alone."""

    def by_pictures(text: str) -> list[Hit]:
        return _best(searcher, Question(vector=searcher.vector_of(text)))

    def by_words(text: str) -> list[Hit]:
        words = searcher.word_search()
        assert words is not None
        found = words.find(text, words_of(text))
        return _best(searcher, Question(vector=None, words=found, keys=words.keys))

    ways: dict[str, Callable[[str], list[Hit]]] = {
        "fused": lambda text: searcher.search(text, FIRST),
        "pictures": by_pictures,
        "words": by_words,
    }
    return {
        name: float(np.mean([key in [hit.key for hit in find(text)] for text, key in queries]))
        for name, find in ways.items()
    }


def _best(searcher: Searcher, question: Question) -> list[Hit]:
    return searcher.best(question, FIRST, EVERYTHING, None)


def words_ms(count: int) -> float:
    """The median of milliseconds of the processor from a text to what its words found.

    Of ``count`` made-up media with captions and tags by a machine, names and folders of files,
    some names of persons and keywords.
    """
    columns = _large_columns(count)
    WordSearch(columns, {}).find("warm", ["warm"])
    rng, taken = random.Random(4), []
    for number in range(40):
        words = rng.choices(_COMMON, k=number % 4) + rng.sample(NAMES, 1)
        text = rng.choice([" ".join(words), f"{' '.join(words)} {words[-1][:3]}", "DSC_00012"])
        start = time.process_time()
        WordSearch(columns, {}).find(text, words_of(text))
        taken.append((time.process_time() - start) * 1000)
    return float(np.median(taken))


def _large_columns(count: int) -> MediaColumns:
    rng = random.Random(3)
    values: dict[str, list[tuple[object, ...]]] = {name: [] for name in WORD_COLUMNS}
    for number in range(count):
        caption = " ".join(rng.choices(_COMMON, k=9))
        row = {
            OWN_TAG: ([rng.choice(NAMES)] if rng.random() < NAMED_SHARE else [],),
            OWN_CAPTION: (None,),
            "tag": ([], [], rng.choices(_COMMON, k=3)),
            "caption": (None, caption),
            "keyword": (["holiday"] if number % 10 == 0 else [], []),
            "person": ([],),
            "album": ([], []),
            "place": ("Rome", "Lazio", "Italy") if number % 5 == 0 else (None, None, None),
            "camera": ("Canon EOS R5",),
            "name": (f"dsc_{number:07d}.jpg",),
            "folder": (f"/photos/trip {number // 500:04d}/",),
            "title": (None,),
            "description": (None,),
        }
        for name, own in row.items():
            values[name].append(own)
    columns = {name: column_of(COLUMN_FIELDS[name], own) for name, own in values.items()}
    keys = KeyNumbers(np.array([b"%026d" % number for number in range(count)], "S26"))
    return MediaColumns(keys, np.ones(count, np.bool_), columns)


def measured(
    folder: Path,
    photos: Sequence[Photo],
    image_id: str,
    searcher_of: Callable[[Library], Searcher],
    *,
    own: int = 40,
    mixed: int = 300,
) -> tuple[dict[str, float], dict[str, float]]:
    """The shares of ``own_words_first`` and the figures of ``recalls`` in a library of photos.

    Of at most so many queries of each kind; of none nothing is measured.
    """
    with Library.open(folder) as library:
        filled(library, image_id, photos)
        searcher = searcher_of(library)
        shares = own_words_first(searcher, photos, own) if own else {}
        if not mixed:
            return shares, {}
        queries = mixed_queries(photos, mixed)
        return shares, recalls(searcher, queries) | {"queries": float(len(queries))}
