"""A small library with annotations, and every way of damaging one of its files.

Short form: a sample in the tests. Long form: ``damage_each_file``, which returns counts.
"""

from __future__ import annotations

import itertools
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cocadesk.annotations.human import AnnotationEdit, HumanAnnotations
from cocadesk.engine.local import Access
from cocadesk.errors import UserError
from cocadesk.library.library import Library
from cocadesk.library.schema import HUMAN_COLUMNS
from cocadesk.protocol.messages import GetInfo, Hits, Info, Search
from tests.support.disks import seen_read_only
from tests.support.engines import COLOURS, coloured_photos, local_engine
from tests.support.index_tools import run_index

QUERIES = tuple(f"something {colour}" for colour in COLOURS)
Words = dict[str, dict[str, object]]
Ranking = list[list[str]]


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x10
    path.write_bytes(data)


def _halve(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


DAMAGES: Mapping[str, Callable[[Path], object]] = {
    "flipped": _flip,
    "cut": _halve,
    "emptied": lambda path: path.write_bytes(b""),
    "removed": Path.unlink,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """A whole library: its folder, what people said by file name, and the order of results."""

    folder: Path
    words: Words
    ranking: Ranking

    def files(self) -> list[Path]:
        """All files of the library with content, by path in its folder."""
        found = (path for path in self.folder.rglob("*") if path.is_file())
        return sorted(p.relative_to(self.folder) for p in found if p.stat().st_size)

    def damaged(self, into: Path, file: Path, damage: str) -> Path:
        """A copy of the library in which one file is damaged."""
        shutil.copytree(self.folder, into)
        DAMAGES[damage](into / file)
        return into


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A damaged library after an engine was opened on it; ``error`` where it did not start.

    ``is_crash`` where that was no sentence for people. A reader that can mend nothing
    (``is_helpless``) may refuse, in a sentence.
    """

    error: str = ""
    is_crash: bool = False
    is_helpless: bool = False
    keeps_words: bool = False
    ranks_right: bool = False
    notices: tuple[str, ...] = ()
    without_vectors: int = 0

    @property
    def is_said(self) -> bool:
        """True where the person is told of damage."""
        return bool(self.notices or self.without_vectors)

    @property
    def losses(self) -> list[str]:
        """The promises that were broken; none where all is well."""
        needs_words = not self.error and not (self.is_helpless and self.is_said)
        broken = {
            "a crash": self.is_crash,
            "engine does not start": bool(self.error) and not self.is_helpless,
            "words lost": needs_words and not self.keeps_words,
            "wrong ranking unsaid": not self.error and not self.ranks_right and not self.is_said,
        }
        return [name for name, is_broken in broken.items() if is_broken]


def annotated_original(base: Path) -> Original:
    """A library of five photos with captions and tags from several commands, opened twice."""
    photos, folder = coloured_photos(base / "photos"), base / "library"
    with Library.open(folder) as library:
        run_index(library, [photos])
        annotations = HumanAnnotations(library)
        keys = library.media.all_keys()
        library.media.set_captions(dict.fromkeys(keys, "a machine's"), "fake-000000000000")
        annotations.set(keys[:3], AnnotationEdit(add_tags=("holiday",)))
        for number, key in enumerate(keys[1:]):
            annotations.set([key], AnnotationEdit(caption=f"the caption number {number}"))
        annotations.set(keys[:1], AnnotationEdit(remove_tags=("holiday",), add_tags=("sea",)))
    ask(folder, Access.WRITE)
    with Library.open(folder) as library:
        annotations = HumanAnnotations(library)
        annotations.set(keys[-1:], AnnotationEdit(caption="after the backup", add_tags=("late",)))
    return Original(folder=folder, words=words_of(folder), ranking=ask(folder, Access.READ)[0])


def words_of(folder: Path) -> Words:
    """What people said, by the name of the file."""
    with Library.open(folder, writer=False) as library:
        return {
            os.fsdecode(os.path.basename(row.path)): {  # noqa: PTH119
                name: getattr(row, name) for name in HUMAN_COLUMNS
            }
            for row in library.media.iter_rows()
            if any(getattr(row, name) for name in HUMAN_COLUMNS)
        }


def ask(folder: Path, access: Access) -> tuple[Ranking, Info]:
    """The order of results for each query, and what the engine says of its library."""
    with local_engine(folder, access) as engine:
        hits = [engine.ask(Search(text=query), Hits).hits for query in QUERIES]
        ranking = [[Path(hit.path.text).name for hit in found] for found in hits]
        return ranking, engine.ask(GetInfo(), Info)


def outcome_of(
    original: Original, folder: Path, access: Access = Access.WRITE, *, is_helpless: bool = False
) -> Outcome:
    """What an engine makes of a damaged copy."""
    try:
        ranking, info = ask(folder, access)
        words = words_of(folder)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is counted
        is_crash = not isinstance(error, UserError)
        return Outcome(error=repr(error), is_crash=is_crash, is_helpless=is_helpless)
    return Outcome(
        is_helpless=is_helpless,
        keeps_words=words == original.words,
        ranks_right=ranking == original.ranking,
        notices=info.notices,
        without_vectors=info.counts.without_vectors,
    )


def damage_each_file(
    base: Path, access: Access = Access.WRITE, *, is_read_only: bool = False, every: int = 1
) -> Iterator[tuple[str, Outcome]]:
    """Each file × each damage, each on a fresh copy: "FILE DAMAGE" and what became of it.

    ``is_read_only``: the copy lies on a disk on which nothing can be mended.
    """
    original = annotated_original(base / "original")
    tries = itertools.product(original.files(), DAMAGES)
    for file, damage in itertools.islice(tries, 0, None, every):
        folder = original.damaged(base / "copy", file, damage)
        if is_read_only:
            yield f"{file} {damage}", helpless_outcome_of(original, folder)
        else:
            yield f"{file} {damage}", outcome_of(original, folder, access)
        shutil.rmtree(folder)


def helpless_outcome_of(original: Original, folder: Path) -> Outcome:
    """What a reader makes of a damaged copy on a read-only disk."""
    with seen_read_only(folder, folder.with_name("read only")) as place:
        return outcome_of(original, place, Access.READ, is_helpless=True)


def counts_of(found: Iterator[tuple[str, Outcome]]) -> Counter[str]:
    """How many were tried, how many of them were said, and how often each promise broke."""
    counts: Counter[str] = Counter()
    for _, outcome in found:
        counts["tried"] += 1
        counts["said"] += outcome.is_said
        counts.update(outcome.losses)
    return counts
