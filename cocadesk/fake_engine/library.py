"""The fake engine's media: searched, listed, looked at, and added by a job."""

from __future__ import annotations

import re
import threading
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import date
from pathlib import Path

from msgspec.structs import replace

from cocadesk.errors import UserError
from cocadesk.fake_engine.albums import album_keys
from cocadesk.fake_engine.annotations import FakeAnnotations
from cocadesk.fake_engine.filters import FakeFilters, split_filters
from cocadesk.fake_engine.groups import FakeGroups
from cocadesk.fake_engine.jobs import FakeWork, failures_of
from cocadesk.fake_engine.orders import in_order
from cocadesk.fake_engine.queries import read_query
from cocadesk.fake_engine.rows import (
    LONG_SIDE_PX,
    FakeContext,
    FakeMedium,
    failure,
    make_medium,
    write_picture,
)
from cocadesk.protocol.calls import Call
from cocadesk.protocol.messages import (
    DescribedFile,
    DescribedFiles,
    DescribeFiles,
    Detail,
    Failures,
    GetDetail,
    GetInfo,
    GetKeys,
    GetMoments,
    GetPreview,
    GetRows,
    Hits,
    Info,
    Keys,
    ListFailures,
    ListNewest,
    Moments,
    Preview,
    ReplyBody,
    Rows,
    RowsChanged,
    Search,
    StartIndex,
    TryAgain,
    WatchFolders,
    Watching,
    album_name,
)
from cocadesk.protocol.paths import WirePath
from cocadesk.protocol.shapes import shape_of
from cocadesk.protocol.sorting import BY_TIME
from cocadesk.protocol.values import (
    CaptionStyle,
    CountsValue,
    Days,
    DescriptionKind,
    FailureValue,
    Hit,
    IndexReport,
    JobReport,
    JobValue,
    MediaKind,
    ModelState,
    ModelValue,
    VideoMoment,
    WatchedFolder,
)

LIBRARY_ID = "fake-library"
PHOTOS_A_FOLDER = 24
PREVIEW_PX = 1400
SHOT_S = 4.0
RELEVANT_FROM = 0.3
EPOCH = date(1970, 1, 1).toordinal()


class FakeVideos:
    """Shots of four seconds, each with a picture of its own."""

    def __init__(self, context: FakeContext) -> None:
        self._context = context

    def hit(self, medium: FakeMedium, score: float) -> Hit:
        """A medium as a search result: a video with its moments, best first."""
        row = medium.row
        best_s = medium.moments[0].time_s if medium.moments else None
        frame = self._frame(medium, best_s, LONG_SIDE_PX, "moments") if medium.moments else None
        return Hit(
            key=row.key,
            score=score,
            path=row.path,
            kind=row.kind,
            caption=medium.caption,
            time_s=best_s,
            moments=medium.moments,
            thumbnail=frame,
        )

    def _moments(self, body: GetMoments, call: Call) -> ReplyBody:
        medium = self._context.medium(body.key)
        length_s = medium.row.duration_s
        if length_s is None:
            return Moments(key=body.key, moments=())
        starts = [SHOT_S * n for n in range(int(length_s / SHOT_S))]
        return Moments(
            key=body.key,
            moments=tuple(
                VideoMoment(
                    time_s=start_s + SHOT_S / 2,
                    start_s=start_s,
                    end_s=min(length_s, start_s + SHOT_S),
                    thumbnail=self._frame(medium, start_s, LONG_SIDE_PX, "moments"),
                )
                for start_s in starts
            ),
        )

    def _preview(self, body: GetPreview, call: Call) -> ReplyBody:
        medium = self._context.medium(body.key)
        size_px, folder = PREVIEW_PX, "previews"
        if body.is_full:
            size_px, folder = max(medium.row.width, medium.row.height), "full"
        path = self._frame(medium, body.time_s, size_px, folder)
        return Preview(key=body.key, path=path, width=medium.row.width, height=medium.row.height)

    def _frame(
        self, medium: FakeMedium, time_s: float | None, long_side_px: int, folder: str
    ) -> WirePath:
        """The picture of the shot at that time; of a photo the photo itself."""
        is_moving = time_s is not None and medium.row.duration_s is not None
        shot = int((time_s or 0.0) / SHOT_S) if is_moving else 0
        path: Path = self._context.library / folder / f"{medium.row.key}-{shot}.png"
        if not path.exists():
            number = medium.number + 5 * shot + shot
            write_picture(path, number, medium.row.width, medium.row.height, long_side_px)
        return WirePath.of(path)


class FakeLibrary:
    """Media with made-up rows; an index job adds some to each folder, and fails at a few."""

    def __init__(
        self,
        context: FakeContext,
        annotations: FakeAnnotations,
        videos: FakeVideos,
        groups: FakeGroups,
    ) -> None:
        self._context = context
        self._media = context.media
        self._groups = groups
        self._annotations = annotations
        self._filters = FakeFilters(context, annotations)
        self._videos = videos
        self._lock = threading.Lock()
        self.roots: list[WirePath] = []
        self._failures: list[FailureValue] = []
        self._watches, self._waits_on_battery = True, False

    def fill(self, folder: Path, count: int) -> None:
        """Adds so many media below a folder, as if they had been indexed."""
        self.roots.append(WirePath.of(folder))
        for _ in range(count):
            self._add(folder)

    def _add(self, folder: Path) -> str:
        medium = make_medium(len(self._media), folder, self._context.library / "pictures")
        with self._lock:
            self._media[medium.row.key] = medium
        return medium.row.key

    def _search(self, body: Search, call: Call) -> Hits:
        years = {(medium.row.taken or "")[:4] for medium in self._media.values()}
        text, terms = split_filters(re.sub(r'like:("[^"]*"|\S+)', "", body.text))
        query = read_query(text, years, body.as_words)
        paths = read_query(body.text, ()).paths
        like = [*map(self._context.medium, body.like), *map(self._at, paths)]
        words = query.words.union(*(medium.caption.split() for medium in like))
        unlike = set[str]().union(*(self._context.medium(k).caption.split() for k in body.unlike))
        if not (words or terms or query.unwanted or unlike or query.read_as or body.filter):
            raise UserError("There is nothing to search for.", "", "Type a few words.")
        dates = " ".join(read.filter for read in query.read_as)
        lists_all = not words and bool(terms or query.unwanted or unlike or query.read_as)
        keys = [
            key
            for key in self._filters.keys(list(self._media), f"{body.text} {dates} {body.filter}")
            if key not in {*body.like, *body.unlike}
            and not query.unwanted & self._annotations.searchable_words(key)
            and all(phrase in self._annotations.caption_of(key) for phrase in query.phrases)
        ]
        found = self._hits(body, keys, words, unlike, lists_all=lists_all)
        return replace(found, note=query.note, read_as=query.read_as)

    def _at(self, path: str) -> FakeMedium:
        for medium in self._media.values():
            if medium.row.path.to_str() == path:
                return medium
        raise UserError(f"Nothing can be like {path}.", "There is no such file.", "Give a photo.")

    def _hits(
        self,
        body: Search,
        keys: Sequence[str],
        words: Collection[str],
        unlike: Collection[str],
        *,
        lists_all: bool = False,
    ) -> Hits:
        asked = {word for word in words if len(word) > 2 or not word.isascii()}
        is_like = body.like or "like:" in body.text
        hits, is_judged = [], bool(words) and not is_like
        for key in keys:
            held = self._annotations.searchable_words(key)
            own = asked.intersection(tag.lower() for tag in self._annotations.human_of(key).added)
            shared, away = len(asked & held), 0.5 * len(held.intersection(unlike))
            if asked & held or lists_all:
                hit = self._videos.hit(self._media[key], (shared - away) / max(1, len(asked)))
                by = (*(("tag",) if own else ()), *(("caption", "picture") if asked & held else ()))
                if is_judged:
                    likely = 1.0 if own else shared / max(1, len(asked))
                    is_relevant = likely >= RELEVANT_FROM
                    hit = replace(hit, probability=likely, relevant=is_relevant)
                hits.append(replace(hit, rank=hit.score + len(own), by=by))
        hits.sort(key=lambda hit: -hit.rank)
        passing = set(self._filters.keys(self._media, f"{body.text} {body.filter}"))
        shown = self._groups.stands_for([hit.key for hit in hits], body.collapse, passing)
        hits = [replace(hit, copies=shown[hit.key]) for hit in hits if hit.key in shown]
        best = {hit.key: hit for hit in hits[: body.limit]}
        relevant, folded = _relevant(best.values()), 0
        if relevant is not None and body.folds:
            folded = len(best) - relevant
            best = {key: hit for key, hit in best.items() if hit.relevant}
        keys = in_order(map(self._annotations.row, best), body.sort, is_reversed=body.is_reversed)
        return Hits(
            hits=tuple(best[key] for key in keys),
            complete=len(hits) <= body.limit,
            shapes=self._shapes(keys),
            relevant=relevant,
            folded=folded,
        )

    def _shapes(self, keys: Sequence[str]) -> bytes:
        rows = (self._media[key].row for key in keys)
        return bytes(shape_of(row.width, row.height) for row in rows)

    def _days(self, keys: Sequence[str]) -> Days | None:
        """None where the list is in another order than that of time."""
        taken = [date.fromisoformat((self._media[key].row.taken or "")[:10]) for key in keys]
        if taken != sorted(taken, reverse=True) and taken != sorted(taken):
            return None
        days = Counter(when.toordinal() - EPOCH for when in taken)
        return Days(days=tuple(days), counts=tuple(days.values()))

    def _by_path(self) -> dict[WirePath, FakeMedium]:
        return {medium.row.path: medium for medium in self._media.values()}

    def _keys(self, body: GetKeys, call: Call) -> Keys:
        known = self._by_path()
        for path in body.paths:
            if path not in known:
                raise UserError(f"{path.text} is not in the library.", "", "Add it first.")
        return Keys(keys=tuple(known[path].row.key for path in body.paths), total=len(body.paths))

    def _describe_files(self, body: DescribeFiles, call: Call) -> DescribedFiles:
        """Only made-up media: no file is read."""
        known, failed = self._by_path(), []
        for place, path in enumerate(body.paths):
            if (medium := known.get(path)) is None:
                failed.append(FailureValue(path=path, reason="There is no such file."))
                continue
            is_caption = body.kind is DescriptionKind.CAPTION
            if is_caption:
                self._context.describe(medium.row.key, body.style, body.writing)
            call.partial(
                DescribedFile(
                    place=place,
                    path=path,
                    caption=self._annotations.caption_of(medium.row.key) if is_caption else None,
                    tags=() if is_caption else medium.tags[: body.top],
                )
            )
        return DescribedFiles(failed=tuple(failed))

    def _newest(self, body: ListNewest, call: Call) -> ReplyBody:
        media = sorted(self._media.values(), key=lambda m: m.row.taken or "", reverse=True)
        keys = tuple(self._filters.keys([m.row.key for m in media], body.filter))
        if name := album_name(body.filter):
            keys = album_keys(name, self._annotations)
        keys = in_order(map(self._annotations.row, keys), body.sort, is_reversed=body.is_reversed)
        shown = self._groups.stands_for(keys, body.collapse, set(keys))
        part = [key for key in keys if key in shown][body.offset : body.offset + body.limit]
        copies = () if body.collapse is None else tuple(shown[key] for key in part)
        has_days = body.with_layout and not body.offset and body.sort in BY_TIME
        return Keys(
            keys=tuple(part),
            offset=body.offset,
            total=len(shown),
            copies=copies,
            shapes=self._shapes(part) if body.with_layout else b"",
            days=self._days(list(shown)) if has_days else None,
        )

    def _rows(self, body: GetRows, call: Call) -> ReplyBody:
        return Rows(rows=tuple(self._annotations.row(k) for k in body.keys if k in self._media))

    def _detail(self, body: GetDetail, call: Call) -> ReplyBody:
        self._context.medium(body.key)
        return Detail(row=self._annotations.row(body.key))

    def _start_index(self, body: StartIndex, call: Call) -> ReplyBody:
        folders = [Path(folder.to_str()) for folder in body.folders]
        self.roots += [folder for folder in body.folders if folder not in self.roots]
        names = ", ".join(folder.name for folder in folders) or "all folders"
        return self._context.jobs.start(
            FakeWork(
                title=f"Looking at {names}",
                total=PHOTOS_A_FOLDER * len(folders),
                step=lambda done: self._index_one(folders[done // PHOTOS_A_FOLDER], done),
                end=_index_report,
            )
        )

    def _try_again(self, body: TryAgain, call: Call) -> ReplyBody:
        """They can be read now."""
        jobs = self._context.jobs
        failed = jobs.failures(body.job_id) if body.job_id else list(self._failures)
        if not failed:
            raise UserError("There is nothing to try again.", "No file has failed there.")
        self._failures = [one for one in self._failures if one not in failed]
        title = f"Trying {len(failed)} files again"
        return jobs.start(FakeWork(title=title, total=len(failed), end=_index_report))

    def _watch(self, body: WatchFolders, call: Call) -> ReplyBody:
        """The settings are kept; no folder changes by itself here."""
        if body.is_on is not None:
            self._watches = body.is_on
        if body.waits_on_battery is not None:
            self._waits_on_battery = body.waits_on_battery
        return Watching(
            is_on=self._watches,
            waits_on_battery=self._waits_on_battery,
            folders=tuple(
                WatchedFolder(path=root, why_not="" if self._watches else "Watching is turned off.")
                for root in self.roots
            ),
        )

    def _index_one(self, folder: Path, done: int) -> FailureValue | None:
        if done % 12 == 7:
            path = WirePath.of(folder / f"broken_{done}.jpg")
            failed = failure(path, "The file ends in the middle of the picture.", "decode")
            self._failures.append(failed)
            return failed
        self._context.publish(RowsChanged(keys=(self._add(folder),)))
        return None

    def _list_failures(self, body: ListFailures, call: Call) -> Failures:
        return failures_of(body, self._failures)

    def _info(self, body: GetInfo, call: Call) -> ReplyBody:
        videos = sum(m.row.kind is MediaKind.VIDEO for m in self._media.values())
        count = len(self._media)
        return Info(
            library_id=LIBRARY_ID,
            folder=WirePath.of(self._context.library),
            schema="1",
            counts=CountsValue(
                media=count, photos=count - videos, videos=videos, failed=len(self._failures)
            ),
            model=ModelValue(
                state=ModelState.READY,
                name="made-up",
                device="cpu",
                reason="It is a fake.",
                styles=tuple(CaptionStyle),
            ),
        )


def _index_report(job: JobValue) -> tuple[str, JobReport]:
    indexed = job.done - job.failed
    message = f"{indexed} photos added, {job.failed} could not be read."
    return message, IndexReport(indexed=indexed)


def _relevant(hits: Collection[Hit]) -> int | None:
    """The number of those that fit; None where no words were asked for."""
    if all(hit.probability is None for hit in hits):
        return None
    return sum(hit.relevant for hit in hits)
