"""An index that was put by goes on counting: its report is that of all its legs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from cocadesk.indexing.index import index_steps
from cocadesk.indexing.types import Again, IndexOptions, IndexReport, IndexStage, IndexTally
from cocadesk.library.library import Library
from cocadesk.media.types import DecodedPhoto, DecodedVideo, DecodeFailure, DecodeRequest
from tests.support.fake_backend import FakeBackend
from tests.support.index_tools import InProcessDecoder, photo_bytes, run_index, write_photo

SMALL = IndexOptions(embed_batch=4, commit_rows=4)


class KillingDecoder(InProcessDecoder):
    """Each decoder that reads ``bad.jpg`` is killed."""

    def decode(
        self, requests: Iterable[DecodeRequest]
    ) -> Iterator[DecodedPhoto | DecodedVideo | DecodeFailure]:
        """As a decoder in this process; the bad one is answered for."""
        for request in requests:
            if request.path.endswith(b"bad.jpg"):
                self.decoded.append(request.path)
                yield DecodeFailure(
                    token=request.token, path=request.path, reason="It was killed.",
                    is_passing=True, is_killed=True,
                )  # fmt: skip
            else:
                yield from super().decode([request])


def leg(
    library: Library,
    folder: Path,
    tally: IndexTally | None,
    *,
    files: int | None = None,
    decoder: InProcessDecoder | None = None,
) -> IndexReport | None:
    """One leg of an index; put by after so many ``files``, else done to the end."""
    steps = index_steps(
        library,
        FakeBackend(),
        [os.fsencode(folder)],
        pool=decoder or InProcessDecoder(),
        options=SMALL,
        tally=tally,
    )
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            report: IndexReport = end.value
            return report
        if files is not None and step.stage is IndexStage.EMBED and step.done >= files:
            steps.close()
            return None


def test_the_report_of_an_index_counts_what_its_earlier_legs_have_done(
    library: Library, tmp_path: Path
) -> None:
    """Each file once: what it has read itself was not known before."""
    photos = tmp_path / "photos"
    for seed in range(3):
        write_photo(photos / f"known{seed}.jpg", seed)
    run_index(library, [photos])
    for seed in range(10, 40):
        write_photo(photos / f"new{seed}.jpg", seed)
    (photos / "known0.jpg").rename(photos / "moved.jpg")
    tally = IndexTally()
    assert leg(library, photos, tally, files=10) is None
    first = tally.indexed
    assert 0 < first < 30
    leg(library, photos, tally, files=6)
    assert first < tally.indexed < 30
    report = leg(library, photos, tally)
    assert report is not None
    assert (report.indexed, report.moved, report.unchanged) == (30, 1, 2)
    assert report.seconds == pytest.approx(tally.seconds, abs=0.5)
    later = leg(library, photos, IndexTally())
    assert later is not None
    assert (later.indexed, later.moved, later.unchanged) == (0, 0, 33)


def test_a_file_that_failed_in_an_earlier_leg_is_no_failure_of_an_earlier_index(
    library: Library, tmp_path: Path
) -> None:
    """It is told as one of this index; in the next it is a known one."""
    photos = tmp_path / "photos"
    (write_photo(photos / "0.jpg", 5)).write_bytes(photo_bytes(5)[:200])
    for seed in range(10, 30):
        write_photo(photos / f"{seed}.jpg", seed)
    tally = IndexTally()
    leg(library, photos, tally, files=12)
    report = leg(library, photos, tally)
    assert report is not None
    assert [failed.is_known for failed in report.failed] == [False]
    assert [failed.is_known for failed in run_index(library, [photos]).failed] == [True]


@pytest.mark.parametrize("is_one_index", [True, False])
def test_decoders_killed_over_a_file_count_once_for_all_legs_of_an_index(
    library: Library, tmp_path: Path, is_one_index: bool
) -> None:
    """A file is given up after three indexes, not because short jobs passed one of them."""
    photos = tmp_path / "photos"
    write_photo(photos / "bad.jpg", 1)
    write_photo(photos / "good.jpg", 2)
    tally, decoder = IndexTally(), KillingDecoder()
    for _ in range(4):
        leg(library, photos, tally if is_one_index else IndexTally(), decoder=decoder)
    tries = [path for path in decoder.decoded if path.endswith(b"bad.jpg")]
    assert len(tries) == (4 if is_one_index else 3)
    (failure,) = library.media.failures()
    assert (failure.kills, failure.is_passing) == ((1, True) if is_one_index else (3, False))


def test_of_a_folder_that_is_tried_again_only_the_files_that_are_named_are_read(
    library: Library, tmp_path: Path
) -> None:
    """What failed elsewhere in it is another matter, and may take hours to fail again."""
    photos = tmp_path / "photos"
    for seed in range(2):
        write_photo(photos / f"{seed}.jpg", seed).write_bytes(photo_bytes(seed)[:200])
    run_index(library, [photos])
    write_photo(photos / "new.jpg", 3)
    decoder, named = InProcessDecoder(), IndexOptions(again=Again.NAMED)
    run_index(library, [photos, photos / "1.jpg"], decoder=decoder, options=named)
    assert [os.path.basename(path) for path in decoder.decoded] == [b"1.jpg", b"new.jpg"]  # noqa: PTH119
    everything = InProcessDecoder()
    run_index(library, [photos], decoder=everything, options=IndexOptions(again=Again.FAILED))
    assert len(everything.decoded) == 2
