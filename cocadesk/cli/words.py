"""``cocadesk tag`` and ``cocadesk caption``: words for photos in and outside the library."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Generic

import numpy as np

from cocadesk.cli import session
from cocadesk.cli.describers import Captions, Describer, Tags, Words
from cocadesk.cli.guard import OK, SOME_FAILED
from cocadesk.cli.interrupt import Interrupt
from cocadesk.cli.options import Options, cache_folder
from cocadesk.cli.pictures import Asked, Picture, asked_files, decoded, input_spec
from cocadesk.cli.report import Report, failed_fields, path_fields, shown
from cocadesk.library import MediaKind, MediaState

if TYPE_CHECKING:
    from cocadesk.library import Library, MediaRow
    from cocadesk.media import InputSpec

_ROWS_AT_A_TIME = 500


def tag(
    options: Options, report: Report, paths: Sequence[str], labels: Path | None, top: int
) -> int:
    """Prints the tags of each photo; those of members are kept in the library."""
    from cocadesk.annotations import ZeroShotTagger, library_vocabulary, load_vocabulary

    vocabulary = load_vocabulary(labels) if labels else library_vocabulary(options.library)
    asked = asked_files(paths)
    with session.open_model(options) as backend:
        tagger = ZeroShotTagger(
            backend,
            vocabulary,
            cache=cache_folder() / "text-vectors",
            at_least=0 if labels is None else 1,
        )
        spec = input_spec(backend.info())
        tags = Tags(backend, tagger, top, is_engines_too=labels is None)
        return _describe(options, report, asked, tags, spec)


def caption(options: Options, report: Report, paths: Sequence[str]) -> int:
    """Prints a caption of each photo; those of members are kept in the library."""
    asked = asked_files(paths)
    with session.open_model(options) as backend:
        spec = input_spec(backend.info())
        return _describe(options, report, asked, Captions(backend), spec)


def _describe(
    options: Options,
    report: Report,
    asked: Asked,
    describer: Describer[Words],
    spec: InputSpec,
) -> int:
    with session.place_for_words(options) as place:
        run = _Run(describer, place, asked.paths)
        with Interrupt(report) as interrupt, report.progress(only_with_json=True) as display:
            task = display.add_task("Describing", total=len(asked.paths), numbers="", left="")
            for path, words in run.steps(asked, spec):
                report.line(f"{shown(path)}: {describer.text(words)}")
                display.update(task, advance=1, numbers=f"{len(run.words):,}")
                interrupt.check()
        if run.has_unkept_words:
            report.note(f"The words were not kept. {place.reason}")
    if report.as_json:
        results = [
            {**path_fields(path), **describer.fields(run.words[path])}
            for path in asked.paths
            if path in run.words
        ]
        report.document({"results": results, "failed": failed_fields(asked.failed)})
    report.failures(asked.failed)
    return SOME_FAILED if asked.failed else OK


class _Run(Generic[Words]):
    """One run over the asked files: known words first, then decode and describe in batches."""

    def __init__(
        self, describer: Describer[Words], place: session.WordsPlace, paths: Sequence[bytes]
    ) -> None:
        self._describer = describer
        self._library = place.library
        self._engine = place.engine
        self._rows = _member_rows(place.library, paths) if place.library else {}
        self.words: dict[bytes, Words] = {}
        self.has_unkept_words = False

    def steps(self, asked: Asked, spec: InputSpec) -> Iterator[tuple[bytes, Words]]:
        """Each described file as soon as its words are kept."""
        yield from self._from_engine()
        yield from self._keep(self._known())
        rest = [path for path in asked.paths if path not in self.words]
        pictures = decoded(rest, spec, asked.failed, self._moments(rest))
        for batch in _batches(pictures, self._describer.batch):
            images_BHWC = np.stack([photo.input_HWC for _, photo in batch])
            words = self._describer.describe(images_BHWC)
            yield from self._keep(
                {photo.path: found for (_, photo), found in zip(batch, words, strict=True)}
            )

    def _moments(self, paths: Sequence[bytes]) -> dict[bytes, float]:
        """Which frame stands for each video of the library, in seconds."""
        from cocadesk.library import representative_moment

        library = self._library
        if library is None or library.model is None:
            return {}
        rows = [self._rows[path] for path in paths if path in self._rows]
        films = {row.key: row.path for row in rows if row.kind is MediaKind.VIDEO}
        views = library.views.of_keys(library.model, list(films))
        moments = {films[key]: representative_moment(own) for key, own in views.items()}
        return {path: time_s for path, time_s in moments.items() if time_s is not None}

    def _from_engine(self) -> Iterator[tuple[bytes, Words]]:
        """Unchanged members, described and kept by the engine that writes the library."""
        if self._engine is None:
            return
        from cocadesk.protocol.messages import Describe, Description

        for path, row in self._rows.items():
            if self._describer.is_engines_too and _is_unchanged(path, row):
                answer = self._engine.ask(Describe(key=row.key), Description)
                words = self._describer.from_engine(answer)
                if words is not None:
                    self.words[path] = words
                    yield path, words

    def _known(self) -> dict[bytes, Words]:
        if self._library is None:
            return {}
        fresh = {
            row.key: path
            for path, row in self._rows.items()
            if path not in self.words and _is_unchanged(path, row)
        }
        rows = [self._rows[path] for path in fresh.values()]
        known = self._describer.known(self._library, rows)
        return {fresh[key]: words for key, words in known.items()}

    def _keep(self, words: dict[bytes, Words]) -> Iterator[tuple[bytes, Words]]:
        members = {
            self._rows[path].key: found for path, found in words.items() if path in self._rows
        }
        if members and self._library is not None:
            if self._library.is_writer:
                self._describer.keep(self._library, members)
            else:
                self.has_unkept_words = True
        self.words.update(words)
        yield from words.items()


def _member_rows(library: Library, paths: Sequence[bytes]) -> dict[bytes, MediaRow]:
    rows: dict[bytes, MediaRow] = {}
    for start in range(0, len(paths), _ROWS_AT_A_TIME):
        for row in library.media.rows_by_path(paths[start : start + _ROWS_AT_A_TIME]):
            if row.state is MediaState.PRESENT:
                rows[row.path] = row
    return rows


def _is_unchanged(path: bytes, row: MediaRow) -> bool:
    """Whether the file is still the one that was indexed, by size and time."""
    try:
        status = os.stat(path)  # noqa: PTH116 - bytes
    except OSError:
        return False
    return status.st_size == row.size_bytes and status.st_mtime_ns == row.mtime_ns


def _batches(
    pictures: Iterable[tuple[int, Picture]], size: int
) -> Iterator[list[tuple[int, Picture]]]:
    iterator = iter(pictures)
    while batch := list(islice(iterator, size)):
        yield batch
