"""The three stages of reading: order, bounds, errors and the end in the middle."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from numpy.typing import NDArray

from cocadesk.indexing import first_rows, pipeline
from cocadesk.indexing.first_rows import MOST_WAITING
from cocadesk.indexing.identity import MatchKind, Plan, SeenFile, Verdict
from cocadesk.indexing.known_files import (
    FileMatcher,
    KnownFiles,
    MatchedFile,
    Unreadable,
    Vanished,
)
from cocadesk.indexing.pictures import Decoded
from cocadesk.indexing.pipeline import Batch, Pace, read_steps
from cocadesk.indexing.types import IndexOptions
from cocadesk.media.types import DecodedPhoto, DecodeFailure, DecodeRequest, FoundFile
from tests.support.fake_backend import FakeBackend

BAD = b"/p/bad"
LEFT = b"/p/left"


class Photos:
    """Decodes each file to a picture of its own.

    After ``stop_at`` answers it breaks; after ``tell_at`` requests ``has_many`` is set.
    """

    def __init__(self, stop_at: int = 10**9, tell_at: int = 10**9) -> None:
        self._stop_at = stop_at
        self._tell_at = tell_at
        self.has_many = threading.Event()
        self.requested: list[bytes] = []
        self.was_stopped = False

    def decode(self, requests: Iterator[DecodeRequest]) -> Iterator[Decoded | DecodeFailure]:
        """One answer a request."""
        for number, request in enumerate(requests):
            if number == self._stop_at:
                raise RuntimeError("the decoder broke")
            self.requested.append(request.path)
            if len(self.requested) > self._tell_at:
                self.has_many.set()
            if request.path in (BAD, LEFT):
                yield DecodeFailure(token=request.token, path=request.path, reason="It is cut.")
            else:
                yield photo(request)

    def stop(self) -> None:
        """The work is being closed."""
        self.was_stopped = True


def photo(request: DecodeRequest) -> DecodedPhoto:
    """A picture whose hash is the file's name."""
    name = request.path.decode()
    colour = np.full((8, 8, 3), sum(request.path) % 256, np.uint8)
    return DecodedPhoto(
        token=request.token,
        path=request.path,
        input_HWC=colour,
        width=8,
        height=8,
        format="JPEG",
        file_hash=f"bytes of {name}",
        picture_hash=name,
        thumbnail_jpeg=b"\xff\xd8",
    )


class Rules:
    """Matches known paths by their bytes, all others by their picture."""

    def __init__(self, *known: bytes) -> None:
        self._known = set(known)
        self._files = KnownFiles((), {"k": "known"}, "m")
        plan = Plan(verdicts=defaultdict(lambda: Verdict(MatchKind.NEW)))
        seen = SeenFile(b"", b"/p", 1, 1, 1, "disk")
        self._matcher = FileMatcher(self._files, plan, defaultdict(lambda: seen))

    def match_bytes(self, found: FoundFile) -> MatchedFile | None:
        """As a copy of a picture that has vectors."""
        if found.path not in self._known:
            return None
        match = self._files.by_picture(Verdict(MatchKind.NEW), "known bytes", "known", "photo")
        assert match is not None
        identity = self._files.apply(found, "disk", "known bytes", match)
        return MatchedFile(found=found, match=match, identity=identity)

    def match_picture(
        self, found: FoundFile, result: Decoded | DecodeFailure
    ) -> MatchedFile | Unreadable | Vanished:
        """By the rules; one file vanishes, one stays unreadable."""
        if isinstance(result, DecodeFailure):
            return (
                Vanished(found)
                if found.path == LEFT
                else Unreadable(found=found, reason="It is cut.")
            )
        return self._matcher.match_picture(found, result)


@dataclass
class Kept:
    """A library as far as reading needs one: it remembers what was written, in order."""

    written: list[str] = field(default_factory=list)
    tidied: int = 0

    @property
    def thumbnails(self) -> Kept:
        """The part that writes thumbnails."""
        return self

    def write(self, picture_hash: str, jpeg: bytes, view: int | None = None) -> None:
        """One thumbnail."""
        self.written.append(picture_hash)

    def tidy(self) -> None:
        """The tables are tidied."""
        self.tidied += 1


class Batches(FakeBackend):
    """Remembers the sizes of the batches; breaks at one."""

    def __init__(self, break_at: int = 10**9) -> None:
        self._break_at = break_at
        self.sizes: list[int] = []

    def embed_images(self, images_BHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
        """As the fake."""
        if len(self.sizes) == self._break_at:
            raise RuntimeError("out of memory")
        self.sizes.append(len(images_BHWC))
        return super().embed_images(images_BHWC)


def files(*names: str) -> list[FoundFile]:
    """Found files of these names."""
    return [
        FoundFile(root=b"/p", path=b"/p/" + name.encode(), size_bytes=1, mtime_ns=1)
        for name in names
    ]


def read(
    candidates: list[FoundFile],
    commit: Callable[[Batch], None],
    *,
    rules: Rules | None = None,
    decoder: Photos | None = None,
    backend: FakeBackend | None = None,
    library: Kept | None = None,
    options: IndexOptions | None = None,
    show: Callable[[Sequence[MatchedFile]], None] = lambda _files: None,
) -> Iterator[int]:
    """The steps of reading these files."""
    return read_steps(
        candidates,
        matcher=rules or Rules(),
        library=library or Kept(),  # type: ignore[arg-type]
        embedder=backend or FakeBackend(),
        pool=decoder or Photos(),
        options=options or IndexOptions(progress_s=0.001),
        commit=commit,
        progress=lambda waiting: waiting,
        show=show,
    )


def names_of(batches: list[Batch]) -> list[str]:
    """The committed files by name, in order."""
    return [item.found.path.decode()[3:] for batch in batches for item in batch.matched]


def test_all_files_are_committed_with_their_vectors_in_the_order_of_matching() -> None:
    """Known bytes and decoded pictures mixed; only what has no vectors is embedded."""
    batches: list[Batch] = []
    candidates = files("a", "copy 1", "b", "copy 2", "c")
    rules = Rules(b"/p/copy 1", b"/p/copy 2")
    for _ in read(candidates, batches.append, rules=rules):
        pass
    assert names_of(batches) == ["a", "copy 1", "b", "copy 2", "c"]
    embedded = {key for batch in batches for key in batch.embedded}
    assert embedded == {"/p/a", "/p/b", "/p/c"}


def test_unreadable_and_vanished_files_are_counted_and_the_rest_goes_on() -> None:
    """A batch is as long as the files that it accounts for."""
    batches: list[Batch] = []
    for _ in read(files("a", "bad", "left", "b"), batches.append):
        pass
    assert names_of(batches) == ["a", "b"]
    assert [item.found.path for batch in batches for item in batch.unreadable] == [BAD]
    assert sum(len(batch.vanished) for batch in batches) == 1
    assert sum(map(len, batches)) == 4


def test_pixels_are_released_before_a_commit() -> None:
    """Memory stays flat however long the commits take."""
    batches: list[Batch] = []
    for _ in read(files("a", "b"), batches.append):
        pass
    assert [item.decoded for batch in batches for item in batch.matched] == [None, None]


def test_thumbnails_are_written_before_the_file_is_committed() -> None:
    """A row never shows a picture that is not there."""
    library, at_commit = Kept(), list[set[str]]()

    def commit(batch: Batch) -> None:
        assert {item.match.picture_hash for item in batch.matched} <= set(library.written)
        at_commit.append(set(library.written))

    options = IndexOptions(commit_rows=2, embed_batch=1, progress_s=0.001)
    for _ in read(files(*"abcdef"), commit, library=library, options=options):
        pass
    assert at_commit[-1] == {f"/p/{name}" for name in "abcdef"}


def test_pictures_are_embedded_in_batches_of_the_size_asked_for() -> None:
    """The last one may be smaller."""
    backend = Batches()
    options = IndexOptions(embed_batch=4, commit_s=60, progress_s=0.001)
    for _ in read(files(*"abcdefghij"), lambda _: None, backend=backend, options=options):
        pass
    assert backend.sizes == [4, 4, 2]


def test_an_index_may_rest_after_each_batch() -> None:
    """It is told how long it has worked since; what is read waits, which holds decoders back."""
    backend, worked_s = Batches(), list[float]()
    options = IndexOptions(embed_batch=4, commit_s=60, progress_s=0.001, rest=worked_s.append)
    for _ in read(files(*"abcdefghij"), lambda _: None, backend=backend, options=options):
        pass
    assert len(worked_s) == len(backend.sizes) == 3
    assert min(worked_s) >= 0


def test_a_slow_model_gets_small_batches_and_a_fast_one_large_ones() -> None:
    """What a kill costs is bounded in seconds, not in pictures."""
    pace = Pace(0.5, most=128)
    assert pace.pictures == 4
    pace.note(4, seconds=0.02)
    assert pace.pictures == 100
    pace.note(100, seconds=0.1)
    assert pace.pictures == 128
    pace.note(2, seconds=5)
    assert pace.pictures == 1


def test_a_slow_model_gets_no_fewer_pictures_than_it_computes_well() -> None:
    """Where a kill may cost more; never more than a batch holds."""
    pace = Pace(0.5, most=128, least=16)
    pace.note(4, 60.0)
    assert pace.pictures == 16
    pace.note(10, 0.1)  # 50 would fit
    assert pace.pictures == 48
    assert Pace(0.5, most=2, least=16).pictures == 2


def test_no_more_files_are_decoded_ahead_than_the_next_batch() -> None:
    """A model of a second a picture: decoded pictures that wait are lost in a kill."""
    decoder, waiting = Photos(), list[int]()

    class Slow(Batches):
        def embed_images(self, images_BHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
            """Each picture takes half of what a batch may."""
            time.sleep(0.05 * len(images_BHWC))
            waiting.append(len(decoder.requested) - sum(self.sizes))
            return super().embed_images(images_BHWC)

    backend, options = Slow(), IndexOptions(embed_batch=64, commit_s=0.4, progress_s=0.001)
    names = files(*(f"{number:03}" for number in range(MOST_WAITING + 40)))
    for _ in read(names, lambda _: None, backend=backend, options=options, decoder=decoder):
        pass
    assert max(backend.sizes) <= 4
    assert max(waiting) <= MOST_WAITING + 8  # at first, while the model opens
    assert max(waiting[MOST_WAITING:]) <= 12


def test_new_files_that_wait_for_the_first_vectors_are_shown_before_them() -> None:
    """As long as the model opens, once each; a copy and what is unreadable are not among them."""
    told, steps = list[str](), list[str]()
    are_shown = threading.Event()

    def show(items: Sequence[MatchedFile]) -> None:
        assert {item.match.picture_hash for item in items} <= set(library.written)
        told.extend(item.found.path.decode()[3:] for item in items)
        steps.append("shown")
        if len(told) == 3:
            are_shown.set()

    class Opening(Batches):
        def embed_images(self, images_BHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
            """Opened once all are shown."""
            assert are_shown.wait(10)
            return super().embed_images(images_BHWC)

    library = Kept()
    for _ in read(
        files("a", "copy", "bad", "b", "c"),
        lambda _: steps.append("committed"),
        rules=Rules(b"/p/copy"),
        backend=Opening(),
        library=library,
        show=show,
    ):
        pass
    assert told == ["a", "b", "c"]
    assert steps.index("committed") == len(steps) - steps[::-1].index("shown")


def test_nothing_is_shown_twice_where_vectors_come_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A commit more for each row would cost more than it shows."""
    monkeypatch.setattr(first_rows, "PATIENCE_S", 60)
    told: list[MatchedFile] = []
    for _ in read(files(*map(str, range(40))), lambda _: None, show=told.extend):
        pass
    assert told == []


def test_two_files_with_one_picture_are_embedded_once() -> None:
    """Also within one batch, where the first has no stored vectors yet."""
    backend, batches = Batches(), list[Batch]()
    twice = [files("a")[0], files("a")[0]]
    for _ in read(twice, batches.append, backend=backend):
        pass
    assert backend.sizes == [1]
    assert len(names_of(batches)) == 2


def test_a_commit_is_due_by_rows_and_the_first_at_once() -> None:
    """An index that is killed every few seconds gets on; tables are tidied only now and then."""
    sizes, library = list[int](), Kept()
    options = IndexOptions(commit_rows=3, embed_batch=1, commit_s=60, progress_s=0.001)
    for _ in read(
        files(*"abcdefg"), lambda batch: sizes.append(len(batch)), library=library, options=options
    ):
        pass
    assert sizes == [1, 3, 3]
    assert library.tidied == 0


def test_many_commits_tidy_the_tables_now_and_then() -> None:
    """Each write is a version of a table: sixty-four are enough."""
    library = Kept()
    options = IndexOptions(commit_rows=1, embed_batch=1, progress_s=0.001)
    for _ in read(files(*map(str, range(130))), lambda _: None, library=library, options=options):
        pass
    assert library.tidied == 2


def test_each_commit_gives_back_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """A long index does not grow by what lies free between what is held."""
    trims = list[int]()
    monkeypatch.setattr(pipeline, "trim_heap", lambda: trims.append(1))
    options = IndexOptions(commit_rows=1, embed_batch=1, progress_s=0.001)
    for _ in read(files(*map(str, range(20))), lambda _: None, library=Kept(), options=options):
        pass
    assert len(trims) == 20


def test_a_decoder_that_breaks_is_an_error_after_a_commit_of_what_was_read() -> None:
    """The next index goes on behind it."""
    batches: list[Batch] = []
    with pytest.raises(RuntimeError, match="the decoder broke"):
        for _ in read(files(*"abcdef"), batches.append, decoder=Photos(stop_at=4)):
            pass
    assert names_of(batches) == list("abcd")


def test_a_model_that_breaks_is_an_error_after_a_commit_of_what_was_embedded() -> None:
    """The batch that it broke in is read again by the next index."""
    batches: list[Batch] = []
    options = IndexOptions(embed_batch=2, progress_s=0.001)
    with pytest.raises(RuntimeError, match="out of memory"):
        for _ in read(files(*"abcdef"), batches.append, backend=Batches(2), options=options):
            pass
    assert names_of(batches) == list("abcd")


def test_a_commit_that_fails_ends_the_reading_and_stops_the_decoder() -> None:
    """A full disk must not leave threads behind."""
    decoder = Photos()

    def commit(batch: Batch) -> None:
        raise OSError("No space left on device")

    options = IndexOptions(commit_rows=1, embed_batch=1, progress_s=0.001)
    with pytest.raises(OSError, match="No space left"):
        for _ in read(files(*"abcdef"), commit, decoder=decoder, options=options):
            pass
    assert decoder.was_stopped


def test_closing_commits_what_is_embedded_and_stops_the_decoder() -> None:
    """Cancelled at the first step that has something."""
    decoder, batches = Photos(), list[Batch]()
    options = IndexOptions(embed_batch=1, commit_s=60, progress_s=0.001)
    steps = read(files(*map(str, range(500))), batches.append, decoder=decoder, options=options)
    waiting = next(ahead for ahead in steps if ahead)
    steps.close()  # type: ignore[attr-defined]
    assert sum(map(len, batches)) >= waiting
    assert decoder.was_stopped


def test_a_slow_commit_holds_the_decoder_back() -> None:
    """Only as many files are decoded ahead as the queues take."""
    # Two in hand at each end, one in the middle; the queues take 5 files and 4 batches.
    decoder = Photos(tell_at=2 + 5 + 1 + 4 + 2 + 1)
    options = IndexOptions(
        embed_batch=1, commit_rows=1, queue_files=5, commit_s=60, progress_s=0.001
    )
    ran_ahead: list[bool] = []
    steps = read(
        files(*map(str, range(300))),
        lambda _: ran_ahead.append(decoder.has_many.wait(0.15)),
        decoder=decoder,
        options=options,
    )
    while not ran_ahead:
        next(steps)
    assert ran_ahead[0] is False
    steps.close()  # type: ignore[attr-defined]


def test_nothing_to_read_needs_no_commit() -> None:
    """An empty list ends at once."""
    batches: list[Batch] = []
    assert list(read([], batches.append)) == []
    assert batches == []
