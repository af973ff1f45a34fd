"""Captions and tags of many media by the machine; a person's words are left alone."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from cocadesk.annotations.progress import (
    AnnotationProgress,
    AnnotationStage,
    EtaEstimator,
    FailedMedium,
)
from cocadesk.annotations.sidecars import rows_in_pieces
from cocadesk.annotations.tagging import ZeroShotTagger
from cocadesk.library import (
    Library,
    MediaKind,
    MediaRow,
    MediaState,
    Tag,
    representative_moment,
    tagging_vectors,
    tags_of_moments,
)

CAPTIONS_AT_ONCE = 8
TAGS_AT_ONCE = 500

GONE = "The file is not there now."


class Caption(Protocol):
    """A sentence about a picture and how sure the model is."""

    @property
    def text(self) -> str: ...
    @property
    def score(self) -> float: ...


class ModelIdentity(Protocol):
    """What names the weights."""

    @property
    def model_id(self) -> str: ...
    @property
    def image_id(self) -> str: ...


class Captioner(Protocol):
    """The part of the model's door that describing needs."""

    def info(self) -> ModelIdentity: ...

    def caption(self, images_BHWC: NDArray[np.uint8], /) -> Sequence[Caption]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedPicture:
    """A medium to look at; of a video, the frame shown at ``time_s``."""

    key: str
    path: bytes
    time_s: float | None = None


class Decoder(Protocol):
    """Gives the pictures of media in any order: (S, S, 3) uint8, or why there is none."""

    def __call__(
        self, wanted: Sequence[WantedPicture], /
    ) -> Iterator[tuple[str, NDArray[np.uint8] | str]]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeReport:
    """What a job did, in media.

    ``described`` have new words; those that failed may have new tags all the same.
    ``by_person`` have a person's caption, which is left alone (tags are made).
    """

    described: int = 0
    unchanged: int = 0
    by_person: int = 0
    failed: tuple[FailedMedium, ...] = ()


@dataclass(slots=True)
class _Counts:
    described: int = 0
    unchanged: int = 0
    by_person: int = 0
    failed: list[FailedMedium] = field(default_factory=list)

    def report(self) -> DescribeReport:
        return DescribeReport(
            described=self.described,
            unchanged=self.unchanged,
            by_person=self.by_person,
            failed=tuple(self.failed),
        )


def caption_steps(
    library: Library,
    model: Captioner,
    tagger: Callable[[], ZeroShotTagger],
    decode: Decoder,
    keys: Sequence[str],
    *,
    again: bool = False,
    done: set[str] | None = None,
) -> Generator[AnnotationProgress, None, DescribeReport]:
    """Captions and tags the media that this model has not described yet, a few at a time.

    ``again`` describes those too that it has; ``done`` holds the keys that were described
    before a pause and gets those that are described now.
    """
    described = set() if done is None else done
    describer = _Describer(library, model, tagger(), decode, again, described)
    pace, seen = EtaEstimator(), 0
    yield AnnotationProgress(stage=AnnotationStage.PLAN, done=0, total=len(keys))
    for start in range(0, len(keys), CAPTIONS_AT_ONCE):
        piece = keys[start : start + CAPTIONS_AT_ONCE]
        rows = library.rows(piece)
        earlier = len(describer.counts.failed)
        changed = describer.describe(rows)
        if changed:
            pace.worked(len(piece))
        seen += len(piece)
        yield AnnotationProgress(
            stage=AnnotationStage.CAPTION,
            done=seen,
            total=len(keys),
            failed=len(describer.counts.failed),
            seconds_left=pace.seconds_left(len(keys) - seen),
            current=rows[-1].path if rows else None,
            keys=tuple(changed),
            left_out=tuple(describer.counts.failed[earlier:]),
        )
    library.tidy()
    return describer.counts.report()


class _Describer:
    """Describes a few media at a time."""

    def __init__(
        self,
        library: Library,
        model: Captioner,
        tagger: ZeroShotTagger,
        decode: Decoder,
        again: bool,
        done: set[str],
    ) -> None:
        self._library = library
        self._model = model
        self._info = model.info()
        self._tagger = tagger
        self._decode = decode
        self._again = again
        self._done = done
        self.counts = _Counts()

    def describe(self, rows: Sequence[MediaRow]) -> set[str]:
        """Describes what is missing of these media; gives those that have new words."""
        here = [row for row in rows if row.state is MediaState.PRESENT]
        self.counts.failed += [
            FailedMedium(path=row.path, reason=GONE) for row in rows if row not in here
        ]
        captioned, failed = self._caption([row for row in here if self._needs_caption(row)])
        tagged = self._tag([row for row in here if self._needs_tags(row)])
        self._done |= {row.key for row in here}
        self.counts.failed += failed
        lost = {item.path for item in failed}
        for row in here:
            self.counts.by_person += row.human_caption is not None
            if row.path not in lost:
                is_new = row.key in captioned | tagged
                self.counts.described += is_new
                self.counts.unchanged += not is_new and row.human_caption is None
        return captioned | tagged

    def _needs_caption(self, row: MediaRow) -> bool:
        if row.human_caption is not None:
            return False
        is_known = row.machine_caption is not None
        is_ours = row.machine_caption_model == self._info.model_id
        return not (is_known and is_ours) or (self._again and row.key not in self._done)

    def _needs_tags(self, row: MediaRow) -> bool:
        is_ours = row.machine_tags_model == self._tagger.mark
        return not is_ours or (self._again and row.key not in self._done)

    def _caption(self, rows: Sequence[MediaRow]) -> tuple[set[str], list[FailedMedium]]:
        """Writes the captions that can be written; gives their keys and the failures."""
        paths = {row.key: row.path for row in rows}
        films = [row.key for row in rows if row.kind is MediaKind.VIDEO]
        views = self._library.views_of(self._info.image_id, films)
        pictures: dict[str, NDArray[np.uint8]] = {}
        failed: list[FailedMedium] = []
        wanted = [
            WantedPicture(
                key=row.key, path=row.path, time_s=representative_moment(views.get(row.key, []))
            )
            for row in rows
        ]
        for key, answer in self._decode(wanted) if wanted else ():
            if isinstance(answer, str):
                failed.append(FailedMedium(path=paths[key], reason=answer))
            else:
                pictures[key] = answer
        if pictures:
            captions = self._model.caption(np.stack(list(pictures.values())))
            by_key = dict(zip(pictures, captions, strict=True))
            self._library.set_machine_caption(
                {key: caption.text for key, caption in by_key.items()},
                self._info.model_id,
                {key: caption.score for key, caption in by_key.items()},
            )
        return set(pictures), failed

    def _tag(self, rows: Sequence[MediaRow]) -> set[str]:
        tags = tags_from_views(self._library, self._info.image_id, self._tagger, rows)
        self._library.set_machine_tags(tags, self._tagger.mark)
        return set(tags)


def tag_steps(
    library: Library, image_id: str, tagger: ZeroShotTagger, keys: Sequence[str]
) -> Generator[AnnotationProgress, None, DescribeReport]:
    """Tags media whose tags are of another model or vocabulary, from stored vectors alone."""
    counts, pace, seen = _Counts(), EtaEstimator(), 0
    yield AnnotationProgress(stage=AnnotationStage.PLAN, done=0, total=len(keys))
    for start in range(0, len(keys), TAGS_AT_ONCE):
        piece = keys[start : start + TAGS_AT_ONCE]
        rows = list(rows_in_pieces(library, piece))
        stale = [row for row in rows if row.machine_tags_model != tagger.mark]
        tags = tags_from_views(library, image_id, tagger, stale)
        library.set_machine_tags(tags, tagger.mark)
        counts.described += len(tags)
        counts.unchanged += len(rows) - len(stale)
        seen += len(piece)
        pace.worked(len(piece))
        yield AnnotationProgress(
            stage=AnnotationStage.TAG,
            done=seen,
            total=len(keys),
            seconds_left=pace.seconds_left(len(keys) - seen),
            current=rows[-1].path if rows else None,
            keys=tuple(tags),
        )
    library.tidy()
    return counts.report()


def tags_from_views(
    library: Library, image_id: str, tagger: ZeroShotTagger, rows: Sequence[MediaRow], top: int = 8
) -> dict[str, list[Tag]]:
    """The tags of these media from their stored vectors; those without any are left out.

    A photo counts as a whole, a video by its moments.
    """
    if not rows or not library.has_views(image_id):
        return {}
    views = library.views_of(image_id, [row.key for row in rows])
    vectors = {key: own for key, of in views.items() if len(own := tagging_vectors(of))}
    if not vectors:
        return {}
    found = iter(tagger.tag(np.concatenate(list(vectors.values())), top))
    return {
        key: tags_of_moments(list(islice(found, len(own))), top) for key, own in vectors.items()
    }
