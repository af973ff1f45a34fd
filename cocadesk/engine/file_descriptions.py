"""Captions or tags of files that a command names, in the library or outside it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from cocadesk.annotations.describe import (
    Captioner,
    Describer,
    MediaDescriber,
    WantedPicture,
    is_as_indexed,
    tags_from_views,
)
from cocadesk.annotations.tagging import ZeroShotTagger
from cocadesk.annotations.vocabulary import Vocabulary
from cocadesk.engine.conversions import to_writing
from cocadesk.engine.decoding import PoolDecoder
from cocadesk.engine.scopes import some_scope_keys
from cocadesk.errors import UserError, retold, tr
from cocadesk.library.library import Library
from cocadesk.library.rows import DESCRIBE, EMBED, MediaRow, MediaState, Tag
from cocadesk.locations import text_vectors_folder
from cocadesk.protocol.calls import Call
from cocadesk.protocol.messages import DescribedFile, DescribedFiles, DescribeFiles
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.values import DescriptionKind, FailureValue, Scope, TagValue, WorkState

if TYPE_CHECKING:
    from cocadesk.model.backend import Backend

ROWS_AT_ONCE = 500
TAGS_KEPT = 8
"""So many tags of a medium are stored at least, however few were asked for."""


@dataclass(slots=True, kw_only=True)
class FoundFiles:
    """The files that a command's paths name, in their order, and what failed so far."""

    paths: list[bytes] = field(default_factory=list)
    failed: list[FailureValue] = field(default_factory=list)


def find_files(paths: Sequence[bytes]) -> FoundFiles:
    """Files as named, and all photos and videos below folders, each once.

    A file that is named is taken whatever it is, so that it fails with its reason; in
    folders only what may be a photo or video counts.

    Raises:
        UserError: none of the paths is there.
    """
    from cocadesk.media.scanning import scan
    from cocadesk.media.types import FoundFile, ScanProblem

    found, failed = dict[bytes, None](), list[FailureValue]()
    for path in paths:
        if os.path.isdir(path):  # noqa: PTH112 - bytes
            for item in scan([path]):
                if isinstance(item, FoundFile):
                    found[item.path] = None
                elif isinstance(item, ScanProblem):
                    failed.append(_failure(item.path, item.reason))
        elif os.path.lexists(path):
            found[path] = None
        else:
            failed.append(_failure(path, tr("There is no such file.")))
    if failed and not found and len(failed) == len(paths):
        first = failed[0]
        raise UserError(
            tr("{path} cannot be read.", path=first.path.text),
            first.reason,
            tr("Give photos or folders of them."),
        )
    return FoundFiles(paths=list(found), failed=failed)


def describe_files(
    body: DescribeFiles,
    call: Call,
    backend: Backend,
    tagger: Callable[[], ZeroShotTagger],
    library: Library | None = None,
    unkept: str = "",
    captioner: Captioner | None = None,
) -> DescribedFiles:
    """The answer to a ``DescribeFiles``; ``tagger`` knows the vocabulary, for want of labels.

    A ``captioner`` writes the captions instead of ``backend``.
    """

    def labels_tagger() -> ZeroShotTagger:
        labels = Vocabulary(name="labels", tags=body.labels)
        return ZeroShotTagger(backend, labels, cache=text_vectors_folder(), at_least=1)

    seeing = backend
    if captioner is not None and body.kind is DescriptionKind.CAPTION:
        seeing = captioner.model
    with PoolDecoder(seeing.info()) as decode:
        tagger = cache(labels_tagger if body.labels else tagger)
        writing = to_writing(body.writing)
        describer = Describer(backend, tagger, decode, body.style, writing, captioner)
        return FileDescriber(body, describer, library, unkept).describe(call)


class FileDescriber:
    """Describes files for one request; the descriptions of the library's media are stored.

    ``library`` is None where there is none. ``unkept`` says why it cannot be written.
    """

    def __init__(
        self, body: DescribeFiles, describer: Describer, library: Library | None, unkept: str = ""
    ) -> None:
        self._body = body
        self._describer = describer
        self._library = library
        self._media = MediaDescriber(library, describer) if library else None
        self._unkept = unkept
        self._has_unkept = False
        self._places: dict[bytes, int] = {}

    def describe(self, call: Call) -> DescribedFiles:
        """Sends each file's caption or tags as a part; those that need no decoding first.

        Raises:
            UserError: none of the paths is there.
            CallCancelledError: nobody wants the answer any more.
        """
        found = self._files()
        self._places = {path: place for place, path in enumerate(found.paths)}
        total = len(self._places)
        call.progress(WorkState(stage=tr("Describing"), total=total))
        for done, answer in enumerate(self._all(self._rows(found.paths)), start=1):
            call.check()
            if isinstance(answer, FailureValue):
                found.failed.append(answer)
            else:
                call.partial(answer)
            call.progress(WorkState(stage=tr("Describing"), done=done, total=total))
        return DescribedFiles(
            failed=tuple(found.failed), unkept=self._unkept if self._has_unkept else ""
        )

    def _deadly(self) -> dict[bytes, str]:
        """The files that ended the engine in a job and have not changed, with the reason."""
        is_caption = self._body.kind is DescriptionKind.CAPTION
        stage = DESCRIBE if is_caption else EMBED
        return self._library.media.deadly(stage) if self._library is not None else {}

    def _files(self) -> FoundFiles:
        """The files of the request; with a filter, the library's media among them that fit."""
        body = self._body
        if not body.filter:
            return find_files([path.to_bytes() for path in body.paths])
        if self._library is None:
            raise UserError(
                tr("There is no library to filter."),
                "",
                tr("Leave --filter out, or add a folder first."),
            )
        scope = Scope(folders=body.paths, filter=body.filter)
        rows = self._library.media.iter_rows(some_scope_keys(self._library, scope))
        return FoundFiles(paths=[row.path for row in rows])

    def _all(self, rows: Mapping[bytes, MediaRow]) -> Iterator[DescribedFile | FailureValue]:
        known = self._known({path: row for path, row in rows.items() if is_as_indexed(row)})
        yield from known.values()
        deadly = self._deadly()
        yield from (_failure(path, deadly[path]) for path in self._places if path in deadly)
        wanted = [path for path in self._places if path not in known and path not in deadly]
        times = self._times([rows[path] for path in wanted if path in rows])
        # A part is described by the file that shows its medium.
        shown = {path: rows[path].path if path in rows else path for path in wanted}
        pictures = [
            WantedPicture(key=os.fsdecode(path), path=shown[path], time_s=times.get(shown[path]))
            for path in wanted
        ]
        if self._body.kind is DescriptionKind.CAPTION:
            for key, caption in self._describer.captions(pictures):
                path = os.fsencode(key)
                if isinstance(caption, str):
                    yield _failure(path, caption)
                    continue
                if path in rows and (media := self._storing()):
                    media.store_captions({rows[path].key: caption})
                yield self._described(path, caption=caption.text)
        else:
            for key, tags in self._describer.tags(pictures, self._top):
                path = os.fsencode(key)
                if isinstance(tags, str):
                    yield _failure(path, tags)
                    continue
                if path in rows and (media := self._storing()):
                    media.store_tags({rows[path].key: tags})
                yield self._described(path, tags=tags)

    def _described(
        self, path: bytes, *, caption: str | None = None, tags: Sequence[Tag] = ()
    ) -> DescribedFile:
        return DescribedFile(
            place=self._places[path],
            path=WirePath.of(path),
            caption=caption,
            tags=tuple(TagValue(tag=tag.tag, score=tag.score) for tag in tags[: self._body.top]),
        )

    @property
    def _top(self) -> int:
        return max(self._body.top, TAGS_KEPT)

    def _rows(self, paths: Sequence[bytes]) -> dict[bytes, MediaRow]:
        """The library's present media that the files are of, by the files' paths."""
        if self._library is None:
            return {}
        return {
            path: row
            for start in range(0, len(paths), ROWS_AT_ONCE)
            for path, row in self._library.media.by_path(
                paths[start : start + ROWS_AT_ONCE]
            ).items()
            if row.state is MediaState.PRESENT
        }

    def _known(self, rows: Mapping[bytes, MediaRow]) -> dict[bytes, DescribedFile]:
        """The descriptions that need no decoding: stored captions, tags of stored vectors."""
        if self._media is None or self._library is None or not rows:
            return {}
        if self._body.kind is DescriptionKind.CAPTION:
            captions = {path: self._media.known_caption(row) for path, row in rows.items()}
            return {
                path: self._described(path, caption=caption)
                for path, caption in captions.items()
                if caption is not None
            }
        image_id = self._describer.model.info().image_id
        media = list({row.key: row for row in rows.values()}.values())
        tags = tags_from_views(self._library, image_id, self._describer.tagger(), media, self._top)
        if tags and (storing := self._storing()):
            storing.store_tags(tags)
        return {
            path: self._described(path, tags=tags[row.key])
            for path, row in rows.items()
            if row.key in tags
        }

    def _times(self, rows: Sequence[MediaRow]) -> dict[bytes, float]:
        """The time of the frame that stands for each video of the library."""
        pictures = self._media.pictures(rows) if self._media else ()
        return {item.path: item.time_s for item in pictures if item.time_s is not None}

    def _storing(self) -> MediaDescriber | None:
        """The media of the library, to store in; None where that cannot be: the answer says why."""
        self._has_unkept = bool(self._unkept)
        return None if self._unkept else self._media


def _failure(path: bytes, reason: str) -> FailureValue:
    return FailureValue(path=WirePath.of(path), reason=retold(reason))
