"""The trainer's order for a source: photos with human captions and tags."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from cocadesk.errors import UserError, tr
from cocadesk.library.library import Library
from cocadesk.library.rows import MediaKind, MediaRow, MediaState
from cocadesk.protocol.values import TeachSource, TuningMethod
from cocadesk.search.filters import parse_filter
from cocadesk.search.matching import matching_keys
from cocadesk.trainer_messages import CaptionedPhoto, Skipped, TuningSpec, add_skipped


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceDataset:
    """The order for a source, and the library's photos that it skips."""

    spec: TuningSpec
    skipped: Skipped

    @property
    def is_empty(self) -> bool:
        """True where neither a folder nor a photo is in the order."""
        return not self.spec.folders and not self.spec.photos


def check_source(source: TeachSource) -> None:
    """Checks a source before anything is read.

    Raises:
        UserError: nothing is chosen, or a folder does not exist.
    """
    if not source.folders and not source.uses_library and not source.keys:
        raise UserError(
            tr("There is nothing to learn from."),
            tr("Neither a folder nor the library's captions and tags were chosen."),
            tr("Choose a folder of photos with .txt files beside them, or the library's own."),
        )
    for folder in source.folders:
        if not Path(folder.to_str()).is_dir():
            raise UserError(
                tr("There is no folder {folder}.", folder=folder.text),
                "",
                tr("Check its name; nothing was read."),
            )


def build_spec(
    library: Library,
    source: TeachSource,
    method: TuningMethod,
    *,
    model: str,
    model_id: str = "",
    title: str = "",
) -> SourceDataset:
    """The trainer's order for a source.

    A photo of the library teaches its human caption, and "a photo of a TAG" for
    each human tag that the caption does not name. Machine annotations, in the
    library or beside a photo, teach nothing.
    """
    from cocadesk.annotations.sidecars import WrittenFiles

    written = WrittenFiles(library.edits.of_files())
    not_human = dict(written.machines())
    among = parse_filter(source.filter)
    passing = matching_keys(library.results, among) if among else None
    chosen = frozenset(source.keys)
    photos: list[CaptionedPhoto] = []
    skipped: Skipped = {}
    media = 0
    for row in library.media.iter_rows():
        media += row.state is MediaState.PRESENT
        # A file that the person has moved together with its photo is the machine's still.
        not_human |= written.machines_of([row])
        if not (row.key in chosen if chosen else source.uses_library):
            continue
        if passing is not None and row.key not in passing:
            continue
        captions = human_captions(row)
        if not captions:
            continue
        if reason := _why_not(row):
            add_skipped(skipped, reason, row.path)
        else:
            photos.append(CaptionedPhoto(path=row.path, captions=captions))
    spec = TuningSpec(
        title=title,
        method=method,
        model=model,
        model_id=model_id,
        folders=tuple(folder.to_bytes() for folder in source.folders),
        photos=tuple(sorted(photos, key=lambda photo: photo.path)),
        not_human=not_human,
        library_media=media,
        lines=source.lines,
    )
    return SourceDataset(spec=spec, skipped=skipped)


def count_taught(library: Library) -> int:
    """The number of the library's photos with human captions or tags that could teach."""
    has_words = "human_caption IS NOT NULL OR array_length(human_tags_added) > 0"
    keys = library.results.keys_where(f"kind = '{MediaKind.PHOTO}' AND ({has_words})")
    rows = library.media.iter_rows(sorted(keys))
    return sum(row.state is MediaState.PRESENT and bool(human_captions(row)) for row in rows)


def human_captions(row: MediaRow) -> tuple[str, ...]:
    """A photo's human caption and tags as sentences; none where there are none."""
    from cocadesk.annotations.prompts import with_article

    caption = " ".join((row.human_caption or "").split())
    sentences = [caption] if caption else []
    named = f" {caption.lower()} "
    for tag in row.human_tags_added:
        if f" {tag.lower()} " not in named:
            sentences.append(f"a photo of {with_article(tag)}")
    return tuple(dict.fromkeys(sentences))


def _why_not(row: MediaRow) -> str:
    if row.kind is not MediaKind.PHOTO:
        return tr("It is a video; only photos can teach.")
    if row.state is not MediaState.PRESENT or not os.path.lexists(row.path):
        return tr("Its file is not there now.")
    return ""
