"""Rows of the library as clients see them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

from cocadesk.errors import UserError, grouped, retold, tr
from cocadesk.library.paths import beside
from cocadesk.library.rows import MediaRow, ViewRow
from cocadesk.library.vectors import live_moments_of, moments_of
from cocadesk.model.values import CaptionLength, GenerationOptions, Writing, check_options
from cocadesk.protocol.captions import LONGEST_PROMPT, MOST_BEAMS, CaptionWriting
from cocadesk.protocol.messages import Hits, ListNewest, Moments, Search
from cocadesk.protocol.paths import WirePath, printable
from cocadesk.protocol.values import (
    AnyValue,
    CaptionReport,
    FailureValue,
    GroupLabel,
    Hit,
    IndexReport,
    JobReport,
    MediaKind,
    Moment,
    PartValue,
    Row,
    TagValue,
    TakeOverReport,
    VideoMoment,
    WriteItem,
    WriteKind,
    WriteReport,
    changed,
)
from cocadesk.search.ordering import Order, SortKey

if TYPE_CHECKING:
    from cocadesk.annotations.sidecars import PlannedFile
    from cocadesk.library.layout import Thumbnails
    from cocadesk.library.library import Library
    from cocadesk.search.searcher import Hit as FoundHit
    from cocadesk.search.searcher import Searcher


PICTURED = 80
"""So many of the media that were found have their pictures named, as many as a screen shows."""
REPORTED = 10_000
"""The most files that a job's report names."""


def to_value(found: object, kind: type[AnyValue], /, **more: object) -> AnyValue:
    """An object of another room as the message value with fields of the same names.

    Bytes are paths; ``more`` gives the fields that are named or made otherwise.
    """
    names = [n for n in kind.__struct_fields__ if n not in more and hasattr(found, n)]
    fields = {name: _plain(getattr(found, name)) for name in names}
    return msgspec.convert(fields | more, kind, from_attributes=True)


def _plain(value: object) -> object:
    if isinstance(value, bytes):
        return WirePath.of(value)
    return value.value if isinstance(value, Enum) else value


def to_writing(wished: CaptionWriting) -> Writing:
    """A person's wishes about new captions, as the model's door takes them.

    Raises:
        UserError: they can't be followed.
    """
    if not 0 <= wished.beams <= MOST_BEAMS:
        raise UserError(
            tr("A caption can't be searched with {beams} beams.", beams=wished.beams),
            tr("Each is one more wording that is followed to its end."),
            tr("Choose 1 to {most_beams}.", most_beams=MOST_BEAMS),
        )
    prompt = " ".join(wished.prompt.split())
    if len(prompt) > LONGEST_PROMPT:
        raise UserError(
            tr("The beginning of the captions is too long."),
            tr("It has {count} letters.", count=grouped(len(prompt))),
            tr("Shorten it to {most} at most.", most=LONGEST_PROMPT),
        )
    given = {name: getattr(wished, name) for name in wished.__struct_fields__}
    length = CaptionLength(wished.length.value)
    writing = Writing(**(given | {"length": length, "prompt": prompt}))
    check_options(writing.applied(GenerationOptions()))
    return writing


class SkippedItem(Protocol):
    """A file that a job could do nothing with, and why."""

    @property
    def path(self) -> bytes: ...

    @property
    def reason(self) -> str: ...


def to_failures(skipped: Sequence[SkippedItem], stage: str = "") -> tuple[FailureValue, ...]:
    """The files that a job which ends now could not do, as far as its report names them."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    return tuple(
        FailureValue(
            path=WirePath.of(item.path),
            reason=retold(item.reason),
            stage=stage,
            when=now,
            is_passing=getattr(item, "is_passing", False),
        )
        for item in skipped[:REPORTED]
    )


def sentence(first: str, *numbers: tuple[int, str]) -> str:
    """ "3 described, 2 already known.": the first part, then what is not zero.

    English, of kept parts; ``retold_parts`` shows it.
    """
    more = (f"{number:,} {words}" for number, words in numbers if number)
    return ", ".join([first, *more]) + "."


def failures_of(report: JobReport | None) -> tuple[FailureValue, ...]:
    """The files that a job of any kind reports as not done."""
    if isinstance(report, WriteReport | TakeOverReport):
        return tuple(
            FailureValue(path=item.path, reason=retold(item.reason), stage="write")
            for item in report.skipped
        )
    return report.failed if isinstance(report, IndexReport | CaptionReport) else ()


def to_rows(library: Library, rows: Sequence[MediaRow]) -> tuple[Row, ...]:
    """Rows for a message, with their thumbnails."""
    library.thumbnails.bring(library.thumbnails.path(row.picture_hash) for row in rows)
    return tuple(to_row(library, row) for row in rows)


def to_row(library: Library, row: MediaRow) -> Row:
    """One row for a message; the thumbnail is named where its file exists."""
    path = WirePath.of(row.path)
    folder, name = os.path.split(path.text)
    return to_value(
        row,
        Row,
        path=path,
        name=printable(name),
        folder=printable(folder),
        taken=row.taken.isoformat(timespec="seconds") if row.taken else None,
        thumbnail=_if_there(library.thumbnails.path(row.picture_hash)),
        caption_by_person=row.human_caption is not None,
        caption_score=row.machine_caption_score if row.human_caption is None else None,
        tags=to_tags(row),
        parts=_to_parts(row.path, ((part.name, part.role.value) for part in row.parts)),
    )


def _to_parts(shown: bytes, parts: Iterable[tuple[bytes, str]]) -> tuple[PartValue, ...]:
    return tuple(
        PartValue(path=WirePath.of(beside(shown, name)), role=role) for name, role in parts
    )


def to_tags(row: MediaRow) -> tuple[TagValue, ...]:
    """The person's tags, then the machine's with their scores."""
    own = set(row.human_tags_added)
    return tuple(
        TagValue(tag=tag.tag, by_person=True)
        if tag.tag in own
        else TagValue(tag=tag.tag, score=tag.score)
        for tag in row.tags
    )


def to_hits(
    found: Sequence[FoundHit], limit: int, thumbnails: Thumbnails, *, folds: bool = False
) -> Hits:
    """The first ``limit`` of what was found; one more says that there are more.

    Where it ``folds``, what is not believed to fit is counted alone.
    """
    shown, moment = found[:limit], thumbnails.moment_path
    is_judged = any(hit.probability is not None for hit in shown)
    believed = [hit for hit in shown if hit.is_relevant]
    folded = len(shown) - len(believed) if folds and is_judged else 0
    if folded:
        shown = believed
    thumbnails.bring(moment(hit.picture_hash, hit.moments[0].view) for hit in shown if hit.moments)
    pictures = _first_pictures(shown, thumbnails)
    hits = tuple(_to_hit(hit, moment, pictures.get(hit.key)) for hit in shown)
    return Hits(
        hits=hits,
        complete=len(found) <= limit,
        relevant=len(believed) if is_judged else None,
        folded=folded,
    )


def _first_pictures(shown: Sequence[FoundHit], thumbnails: Thumbnails) -> dict[str, WirePath]:
    """The thumbnails of the photos that are seen first, by key; of those that are here."""
    first = [hit for hit in shown if hit.is_relevant][:PICTURED] or shown[:PICTURED]
    paths = {hit.key: _if_there(thumbnails.path(hit.picture_hash)) for hit in first}
    return {key: path for key, path in paths.items() if path is not None}


def _to_hit(hit: FoundHit, thumbnail: Callable[[str, int], Path], picture: WirePath | None) -> Hit:
    return Hit(
        key=hit.key,
        score=round(hit.score, 6),
        path=WirePath.of(hit.path),
        kind=MediaKind(hit.kind.value),
        caption=hit.caption,
        time_s=hit.time_s,
        moments=tuple(
            Moment(time_s=moment.time_s, score=round(moment.score, 6)) for moment in hit.moments
        ),
        thumbnail=_if_there(thumbnail(hit.picture_hash, hit.moments[0].view))
        if hit.moments
        else picture,
        parts=_to_parts(hit.path, hit.parts),
        copies=hit.copies,
        rank=round(hit.rank, 4),
        by=tuple(by.value for by in hit.by),
        relevant=hit.is_relevant,
        probability=None if hit.probability is None else round(hit.probability, 4),
    )


LABELS = tuple(GroupLabel)
"""The labels of groups, in the order of the levels of links."""


def level_of(label: GroupLabel | None) -> int | None:
    """The level of links that a label stands for."""
    return None if label is None else LABELS.index(label)


def order_of(body: Search | ListNewest) -> Order:
    """The order that a request asks for."""
    return Order(SortKey(body.sort.value), body.is_reversed)


def in_order(hits: Hits, searcher: Searcher, order: Order) -> Hits:
    """Hits that came with the best match first in another order."""
    places = searcher.places([hit.key for hit in hits.hits], order)
    return changed(hits, hits=tuple(hits.hits[place] for place in places))


def views_of(library: Library, image_id: str, key: str) -> list[ViewRow]:
    """The views of a medium by the open model, else by the one that the library names.

    They differ while the vectors of a newer starter are awaited.
    """
    for model in dict.fromkeys((image_id, library.model)):
        if model and (views := library.views.of_keys(model, [key]).get(key)):
            return views
    return []


def to_moments(library: Library, image_id: str, row: MediaRow) -> Moments:
    """The moments of a video, or of a photo's own; see ``views_of``."""
    stored = views_of(library, image_id, row.key)
    views = moments_of(stored) or live_moments_of(stored)
    path = library.thumbnails.moment_path
    library.thumbnails.bring(path(view.picture_hash, view.view) for view in views)
    return Moments(
        key=row.key,
        moments=tuple(
            VideoMoment(
                time_s=view.time_s or 0.0,
                start_s=view.start_s or 0.0,
                end_s=view.end_s or 0.0,
                thumbnail=_if_there(path(view.picture_hash, view.view)),
            )
            for view in views
        ),
    )


def _if_there(path: Path) -> WirePath | None:
    return WirePath.of(path) if path.exists() else None


def write_item(planned: PlannedFile) -> WriteItem:
    """The change that a write would make to one file, as clients see it."""
    return WriteItem(
        path=WirePath.of(planned.path),
        kind=WriteKind(planned.action.value),
        new=planned.new.text,
        old=planned.old.text,
        reason=retold(planned.reason),
    )


def skipped_items(skipped: Sequence[SkippedItem]) -> tuple[WriteItem, ...]:
    """Files that were left as they are, as clients see them."""
    return tuple(
        WriteItem(path=WirePath.of(item.path), kind=WriteKind.SKIPPED, reason=retold(item.reason))
        for item in skipped[:REPORTED]
    )
