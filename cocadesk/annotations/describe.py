"""Captions and tags by the model: of one medium, of many, and of files outside the library.

The one place that knows which of them are stale, how they are made and how they are
stored. A person's caption is never replaced.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from cocadesk.annotations.openings import caption_openings
from cocadesk.annotations.progress import AnnotationProgress, AnnotationStage, SkippedFile
from cocadesk.annotations.tagging import ZeroShotTagger
from cocadesk.errors import UserError, kept
from cocadesk.eta import EtaEstimator
from cocadesk.library.in_hand import InHand
from cocadesk.library.library import Library
from cocadesk.library.rows import DESCRIBE, MediaKind, MediaRow, MediaState, Tag
from cocadesk.library.vectors import representative_moment, tagging_vectors, tags_of_moments
from cocadesk.model.backend import Backend, Caption, GenerationOptions
from cocadesk.model.values import (
    SENTENCE,
    STYLES,
    USUAL_WRITING,
    Writing,
    unknown_style,
    usual_writing,
)

CAPTIONS_AT_ONCE = 8
TAGS_AT_ONCE = 500

GONE = kept("The file is not there now.")

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedPicture:
    """A picture to decode; of a video, the frame shown at ``time_s``.

    ``key`` is the medium's, or for other files any name that is unique in the call.
    """

    key: str
    path: bytes
    time_s: float | None = None
    duration_s: float | None = None


Decoder = Callable[[Sequence[WantedPicture]], Iterator[tuple[str, NDArray[np.uint8] | str]]]
"""Gives pictures in any order: (S, S, 3) uint8, or a sentence why there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Captioner:
    """A model that writes captions, and the tagger of that model's own vectors."""

    model: Backend
    tagger: Callable[[], ZeroShotTagger]


class Describer:
    """Captions and tags of any pictures, in the library or not; nothing is stored.

    ``tagger`` is called when the first tags or captions are made. Without a ``style`` captions are
    sentences, and those of any style hold. ``writing`` says how new ones are written; all hold.
    A ``captioner`` writes them instead of ``model``; ``decode`` gives pictures for whichever does
    what is asked for.

    Raises:
        UserError: the model does not know the style.
    """

    def __init__(
        self,
        model: Backend,
        tagger: Callable[[], ZeroShotTagger],
        decode: Decoder,
        style: str | None = None,
        writing: Writing = USUAL_WRITING,
        captioner: Captioner | None = None,
    ) -> None:
        self._captioner = captioner or Captioner(model=model, tagger=tagger)
        info = self._captioner.model.info()
        if style is not None and style not in info.styles:
            raise unknown_style(style, info.styles)
        self.model = model
        self.tagger = tagger
        self._decode = decode
        self._style = style or SENTENCE
        self._wished = writing
        self.caption_version = caption_version(info.model_id, self._style)
        """The version to store beside these captions."""
        holding = (style,) if style else STYLES
        self._holding = {caption_version(info.model_id, each) for each in holding}

    def holds(self, version: str | None) -> bool:
        """True where captions of this version need not be made again."""
        return version in self._holding

    @cached_property
    def _writing(self) -> GenerationOptions:
        """The way in which captions are written: a tag may open them."""
        info = self._captioner.model.info()
        try:
            openings = caption_openings(info, self._captioner.tagger)
        except UserError:  # the tags say so where they are asked for; captions need none
            openings = None
        usual = self._wished.applied(usual_writing(info))
        return replace(usual, style=self._style, openings=openings)

    def captions(self, wanted: Sequence[WantedPicture]) -> Iterator[tuple[str, Caption | str]]:
        """Each picture's caption by key, or a sentence why there is none."""
        yield from self._in_batches(
            wanted,
            lambda images_BHWC: self._captioner.model.caption(images_BHWC, self._writing),
        )

    def tags(
        self, wanted: Sequence[WantedPicture], top: int = 8
    ) -> Iterator[tuple[str, list[Tag] | str]]:
        """Each picture's tags by key, or a sentence why there are none."""
        tagger = self.tagger()
        yield from self._in_batches(
            wanted, lambda images_BHWC: tagger.tag(self.model.embed_images(images_BHWC), top)
        )

    def _in_batches(
        self,
        wanted: Sequence[WantedPicture],
        describe: Callable[[NDArray[np.uint8]], Sequence[T]],
    ) -> Iterator[tuple[str, T | str]]:
        """A few pictures at a time, so that memory stays flat and the first are soon there."""
        decoded = iter(self._decode(wanted)) if wanted else iter(())
        while answers := list(islice(decoded, CAPTIONS_AT_ONCE)):
            pictures = {key: answer for key, answer in answers if not isinstance(answer, str)}
            yield from ((key, answer) for key, answer in answers if isinstance(answer, str))
            if pictures:
                images_BHWC = np.stack(list(pictures.values()))
                yield from zip(pictures, describe(images_BHWC), strict=True)


class MediaDescriber:
    """Captions and tags of media: finds what is stale, makes and stores it."""

    def __init__(self, library: Library, describer: Describer) -> None:
        self._library = library
        self._describer = describer
        self._info = describer.model.info()

    def known_caption(self, row: MediaRow) -> str | None:
        """The caption that holds: a person's, else this model's; None where one is to be made."""
        if row.human_caption is not None:
            return row.human_caption
        return row.machine_caption if self._describer.holds(row.machine_caption_model) else None

    def has_stale_tags(self, row: MediaRow) -> bool:
        """True where the tags are of another model or vocabulary, or missing."""
        return row.machine_tags_model != self._describer.tagger().version

    def pictures(self, rows: Sequence[MediaRow]) -> list[WantedPicture]:
        """The picture that stands for each medium: of a video its representative frame."""
        videos = [row.key for row in rows if row.kind is MediaKind.VIDEO]
        views = self._library.views.of_keys(self._info.image_id, videos)
        return [
            WantedPicture(
                key=row.key,
                path=row.path,
                time_s=representative_moment(views.get(row.key, [])),
                duration_s=row.duration_s,
            )
            for row in rows
        ]

    def caption(self, rows: Sequence[MediaRow]) -> dict[str, Caption | str]:
        """Makes and stores the captions of these media; by key, or a sentence why not.

        A file that ended the engine before is passed over.
        """
        deadly = self._library.media.deadly(DESCRIBE) if rows else {}
        left_out = {row.key: deadly[row.path] for row in rows if row.path in deadly}
        wanted = self.pictures([row for row in rows if row.path not in deadly])
        answers = dict(self._describer.captions(wanted))
        self.store_captions({k: c for k, c in answers.items() if not isinstance(c, str)})
        return answers | left_out

    def store_captions(self, captions: Mapping[str, Caption]) -> None:
        """Replaces the machine's captions of these media, with their scores."""
        if captions:
            self._library.media.set_captions(
                {key: caption.text for key, caption in captions.items()},
                self._describer.caption_version,
                {key: caption.score for key, caption in captions.items()},
            )

    def tag(self, rows: Sequence[MediaRow], top: int = 8) -> dict[str, list[Tag]]:
        """Makes and stores the tags of these media from their vectors; files are not read.

        Media without a stored vector of this model are skipped.
        """
        tagger = self._describer.tagger()
        tags = tags_from_views(self._library, self._info.image_id, tagger, rows, top)
        self.store_tags(tags)
        return tags

    def store_tags(self, tags: Mapping[str, Sequence[Tag]]) -> None:
        """Replaces the machine's tags of these media."""
        self._library.media.set_tags(tags, self._describer.tagger().version)


def caption_version(model_id: str, style: str) -> str:
    """The version of captions: those of another are made again.

    The model's id; with another style than sentences also its name. A caption holds though
    the tags that may open it were changed since: it is as true as before.
    """
    return model_id if style == SENTENCE else f"{model_id}+{style}"


def is_as_indexed(row: MediaRow) -> bool:
    """True where the file is still the one that was indexed, by size and time."""
    try:
        status = os.stat(row.path)  # noqa: PTH116 - bytes
    except OSError:
        return False
    return (status.st_size, status.st_mtime_ns) == (row.size_bytes, row.mtime_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribeReport:
    """The outcome of a job, in media.

    ``described`` have a new caption or new tags; those that failed may have new tags all
    the same. ``by_person`` have a person's caption, which is left alone (tags are made).
    """

    described: int = 0
    unchanged: int = 0
    by_person: int = 0
    failed: tuple[SkippedFile, ...] = ()

    def __add__(self, other: DescribeReport) -> DescribeReport:
        return DescribeReport(
            described=self.described + other.described,
            unchanged=self.unchanged + other.unchanged,
            by_person=self.by_person + other.by_person,
            failed=self.failed + other.failed,
        )


def caption_steps(
    library: Library,
    model: Backend,
    tagger: Callable[[], ZeroShotTagger],
    decode: Decoder,
    keys: Sequence[str],
    *,
    again: bool = False,
    style: str | None = None,
    writing: Writing = USUAL_WRITING,
    done: set[str] | None = None,
    made: set[str] | None = None,
    is_careful: bool = False,
    rest: Callable[[float], None] = lambda _worked_s: None,
    captioner: Captioner | None = None,
) -> Generator[AnnotationProgress, None, DescribeReport]:
    """Captions and tags the media that this model has not described yet, a few at a time.

    ``again`` describes those too that it has, a ``style`` those that have a caption of the
    model in another; ``writing`` as in ``Describer``; ``done`` holds the keys that were described
    before a pause and gets those that are described now, ``made`` those of them with a new
    caption or new tags, which the report counts. ``is_careful`` describes one at a time, so
    that a crash names its file. ``rest`` is called after each few with the seconds they took.
    ``captioner``: as in ``Describer``.
    """
    described, changed_ever = set() if done is None else done, set() if made is None else made
    # Once: an unreadable vocabulary stops the job before its first caption.
    only_tagger = tagger()
    captioner = captioner or Captioner(model=model, tagger=lambda: only_tagger)
    describer = Describer(model, lambda: only_tagger, decode, style, writing, captioner)
    media = MediaDescriber(library, describer)
    report, eta, worked, seen = DescribeReport(), EtaEstimator(), 0, 0
    yield AnnotationProgress(stage=AnnotationStage.PLAN, done=0, total=len(keys))
    with InHand(library.folder) as in_hand:
        for start in range(0, len(keys), CAPTIONS_AT_ONCE):
            begun_s, piece = time.monotonic(), keys[start : start + CAPTIONS_AT_ONCE]
            rows = library.media.rows(piece)
            due = {row.key for row in rows if again and row.key not in described}
            kept = {row.key for row in rows if row.key in described and _is_of(captioner, row)}
            at_once = 1 if is_careful else CAPTIONS_AT_ONCE
            changed, outcome = _describe(media, rows, due, in_hand, at_once, kept, changed_ever)
            described |= {row.key for row in rows if row.state is MediaState.PRESENT}
            report += outcome
            worked += len(piece) if changed else 0
            seen += len(piece)
            yield AnnotationProgress(
                stage=AnnotationStage.CAPTION,
                done=seen,
                total=len(keys),
                failed=len(report.failed),
                seconds_left=eta.seconds_left(worked, worked + len(keys) - seen),
                current_path=rows[-1].path if rows else None,
                keys=tuple(changed),
                skipped=outcome.failed,
            )
            if changed:
                rest(time.monotonic() - begun_s)
    library.tidy()
    return report


def _is_of(captioner: Captioner, row: MediaRow) -> bool:
    """True where the machine's caption is of this model, in whichever style."""
    model_id = captioner.model.info().model_id
    return row.machine_caption_model in {caption_version(model_id, style) for style in STYLES}


def _describe(
    media: MediaDescriber,
    rows: Sequence[MediaRow],
    due: set[str],
    in_hand: InHand,
    at_once: int,
    kept: Set[str],
    made: set[str],
) -> tuple[set[str], DescribeReport]:
    """Describes what is stale or ``due`` of a few media, but for the captions of ``kept``.

    Gives the keys that have changed; ``made`` gets those that can be read.
    """
    present = [row for row in rows if row.state is MediaState.PRESENT]
    wanted = [
        row
        for row in present
        if (media.known_caption(row) is None and row.key not in kept)
        or (row.key in due and row.human_caption is None)
    ]
    captions: dict[str, Caption | str] = {}
    for start in range(0, len(wanted), at_once):
        piece = wanted[start : start + at_once]
        in_hand.begin(row.path for row in piece)
        captions |= media.caption(piece)
        in_hand.leave(row.path for row in piece)
    tags = media.tag([row for row in present if row.key in due or media.has_stale_tags(row)])
    reasons = {key: answer for key, answer in captions.items() if isinstance(answer, str)}
    reasons |= {row.key: GONE for row in rows if row.state is not MediaState.PRESENT}
    changed = (captions.keys() - reasons.keys()) | tags.keys()
    readable = [row for row in rows if row.key not in reasons]
    made |= {row.key for row in readable if row.key in changed}
    return changed, DescribeReport(
        described=sum(row.key in made for row in readable),
        unchanged=sum(row.key not in made and row.human_caption is None for row in readable),
        by_person=sum(row.human_caption is not None for row in present),
        failed=tuple(
            SkippedFile(path=row.path, reason=reasons[row.key])
            for row in rows
            if row.key in reasons
        ),
    )


def tag_steps(
    library: Library,
    image_id: str,
    tagger: ZeroShotTagger,
    keys: Sequence[str],
    made: set[str] | None = None,
) -> Generator[AnnotationProgress, None, DescribeReport]:
    """Tags media whose tags are of another model or vocabulary, from stored vectors alone.

    ``made`` holds the keys that were tagged before a pause, and gets those tagged now.
    """
    tagged = set() if made is None else made
    report, eta, seen = DescribeReport(), EtaEstimator(), 0
    yield AnnotationProgress(stage=AnnotationStage.PLAN, done=0, total=len(keys))
    for start in range(0, len(keys), TAGS_AT_ONCE):
        piece = keys[start : start + TAGS_AT_ONCE]
        rows = list(library.media.iter_rows(piece))
        stale = [row for row in rows if row.machine_tags_model != tagger.version]
        unchanged = {row.key for row in rows} - {row.key for row in stale} - tagged
        tags = tags_from_views(library, image_id, tagger, stale)
        library.media.set_tags(tags, tagger.version)
        tagged |= tags.keys()
        described = sum(row.key in tagged for row in rows)
        report += DescribeReport(described=described, unchanged=len(unchanged))
        seen += len(piece)
        yield AnnotationProgress(
            stage=AnnotationStage.TAG,
            done=seen,
            total=len(keys),
            seconds_left=eta.seconds_left(seen, len(keys)),
            current_path=rows[-1].path if rows else None,
            keys=tuple(tags),
        )
    library.tidy()
    return report


def tags_from_views(
    library: Library, image_id: str, tagger: ZeroShotTagger, rows: Sequence[MediaRow], top: int = 8
) -> dict[str, list[Tag]]:
    """The tags of these media from their stored vectors; those without any are left out.

    A photo counts as a whole, a video by its moments.
    """
    if not rows or not library.views.has(image_id):
        return {}
    views = library.views.of_keys(image_id, [row.key for row in rows])
    vectors = {key: own for key, of in views.items() if len(own := tagging_vectors(of))}
    if not vectors:
        return {}
    found = iter(tagger.tag(np.concatenate(list(vectors.values())), top))
    return {
        key: tagger.in_order(tags_of_moments(list(islice(found, len(own))), top))
        for key, own in vectors.items()
    }
