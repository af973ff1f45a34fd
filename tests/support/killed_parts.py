"""An index of shots in several files that ends before any of its writes, and goes on."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from cocadesk.indexing.types import IndexOptions
from cocadesk.library.library import Library
from cocadesk.library.rows import MediaState, ViewShows
from tests.support.index_tools import row_at, run_index, set_human_caption, views_at, write_photo
from tests.support.live_photos import still, video
from tests.support.power_cut import power_cuts
from tests.support.shots import media, write_shot

_MEDIA = {
    "joined.jpg": ["joined.dng"],
    "later.jpg": ["later.dng"],
    "lost.dng": [],
    "live.jpg": ["live.mov"],
    "other.jpg": [],
}
_CAPTIONED = ("joined.jpg", "later.jpg", "lost.dng")


def _prepare(base: Path) -> Path:
    """Shots of which one is to be joined, one gets its JPEG, one loses it, one's video changes."""
    photos = base / "photos"
    write_photo(photos / "other.jpg", 7)
    _, joined = write_shot(photos, "joined", 1)
    later, later_raw = write_shot(photos, "later", 2)
    lost, _ = write_shot(photos, "lost", 3)
    joined.rename(photos / "raw.dng")
    later.rename(base / "later.jpg")
    still(photos / "live.jpg", content_id="of this live photo")
    video(photos / "live.mov", content_id="of this live photo")
    with Library.open(base / "library") as library:
        run_index(library, [photos])
        for path in (photos / "raw.dng", later_raw, lost):
            set_human_caption(library, row_at(library, path).key, path.stem)
    (photos / "raw.dng").rename(joined)
    (base / "later.jpg").rename(later)
    lost.unlink()
    video(photos / "live.mov", seconds=2, content_id="of this live photo")
    return photos


def parts_cut_between_writes(base: Path, *, every: int = 1) -> int:
    """A write of such an index is the last that reaches the disk; gives the number of writes."""
    photos, writes = _prepare(base), 0
    for cut in power_cuts(every):
        folder = base / str(cut.last)
        shutil.copytree(base / "library", folder)
        with Library.open(folder) as library, cut.during():
            run_index(library, [photos], options=IndexOptions(commit_rows=1, embed_batch=1))
        with Library.open(folder) as library:
            run_index(library, [photos])
            _check(library, photos)
            assert run_index(library, [photos]).indexed == 0
        writes = cut.writes
    return writes


def _check(library: Library, photos: Path) -> None:
    there = [row for row in library.media.iter_rows() if row.state is MediaState.PRESENT]
    assert media(library) == _MEDIA
    for name in _CAPTIONED:
        wanted = "raw" if name == "joined.jpg" else Path(name).stem
        assert row_at(library, photos / name).human_caption == wanted
    for row in there:
        views = views_at(library, Path(os.fsdecode(row.path)))
        assert {view.picture_hash for view in views} == {row.picture_hash}
    live = [v for v in views_at(library, photos / "live.jpg") if v.shows is ViewShows.LIVE]
    assert [view.end_s for view in live][-1:] == [2.0]
