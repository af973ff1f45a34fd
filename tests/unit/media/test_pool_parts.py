"""What lies between pool and workers: messages, shared memory, the spool of frames."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cocadesk.media.pool.arena import Arena
from cocadesk.media.pool.deadline import Patience
from cocadesk.media.pool.messages import (
    Alive,
    Answer,
    DecodeFailed,
    Job,
    PhotoDone,
    Ready,
    Setup,
    WorkerSettings,
    read_answer,
    read_order,
    write_message,
)
from cocadesk.media.pool.results import describe_exit
from cocadesk.media.types import WHOLE_FRAMES, DecodeLimits, MediaContent, PhotoMetadata
from cocadesk.media.video.spool import SpoolFolder, SpoolWriter
from cocadesk.picture_input import InputSpec

SETUP = Setup(
    settings=WorkerSettings(
        spec=InputSpec(size_px=32),
        thumbnail_px=64,
        limits=DecodeLimits(),
        address_space_bytes=1 << 30,
        slots=2,
        patience=Patience(deadline_s=30.0),
    ),
    arena=5,
)
DONE = PhotoDone(
    serial=3,
    content=MediaContent(
        width=40,
        height=30,
        format="JPEG",
        file_hash="a" * 32,
        picture_hash="b" * 32,
        thumbnail_jpeg=b"",
        metadata=PhotoMetadata(title="Sea", keywords=("dog",)),
    ),
    thumbnail_bytes=100,
)


def test_messages_survive_the_pipe() -> None:
    """Both ways, one after the other, with nothing left over."""
    job = Job(1, 0, b"/photos/caf\xe9.jpg", "/tmp/x", 2.5)
    answers: list[Answer] = [Ready(), DONE, Alive(3), DecodeFailed(4, "It is broken.", True)]
    orders, replies = io.BytesIO(), io.BytesIO()
    for order in (SETUP, job):
        write_message(orders, order)
    for answer in answers:
        write_message(replies, answer)
    orders.seek(0)
    replies.seek(0)
    assert [read_order(orders), read_order(orders), read_order(orders)] == [SETUP, job, None]
    assert [read_answer(replies) for _ in range(5)] == [*answers, None]


@given(st.integers(0, 200))
def test_a_pipe_that_ends_early_gives_none(cut: int) -> None:
    """A worker may be killed in the midst of a word."""
    stream = io.BytesIO()
    write_message(stream, DONE)
    data = stream.getvalue()
    assert read_answer(io.BytesIO(data[: min(cut, len(data) - 1)])) is None


@pytest.mark.parametrize(
    "data",
    [
        struct.pack("<I", 0xFFFFFFFF) + b"x",
        struct.pack("<I", 5) + b"hello",
        struct.pack("<I", 0),
        struct.pack("<I", 1) + b"\xc0",
    ],
)
def test_what_is_no_message_is_an_error_and_no_object(data: bytes) -> None:
    """A worker that a hostile file has taken over can send nothing but the known shapes."""
    with pytest.raises(msgspec.DecodeError):
        read_answer(io.BytesIO(data))


@pytest.mark.parametrize("boxes", [-1, 9, 1 << 40])
def test_an_answer_with_more_boxes_than_a_slot_holds_is_no_message(boxes: int) -> None:
    """A worker that a hostile file has taken over can't have the pool read beyond its slot."""
    stream = io.BytesIO()
    write_message(stream, replace(DONE, boxes=boxes))
    stream.seek(0)
    with pytest.raises(msgspec.ValidationError):
        read_answer(stream)


def test_an_order_is_no_answer() -> None:
    """A worker cannot make the pool believe that it is one itself."""
    stream = io.BytesIO()
    write_message(stream, Job(1, 0, b"/x", ""))
    stream.seek(0)
    with pytest.raises(msgspec.ValidationError):
        read_answer(stream)


@pytest.mark.skipif(sys.platform == "win32", reason="a descriptor is inherited")
def test_shared_memory_is_seen_by_a_child_and_has_no_name() -> None:
    """What the child writes, the parent reads; when both are gone, so is it."""
    with Arena.create(4096) as arena:
        arena.memory[:5] = b"hello"
        script = (
            "import mmap, sys; m = mmap.mmap(int(sys.argv[1]), 4096); "
            "assert m[:5] == b'hello'; m[5:8] = b'you'"
        )
        command = [sys.executable, "-c", script, str(arena.reference)]
        subprocess.run(command, check=True, pass_fds=arena.descriptors)
        assert arena.memory[:8] == b"helloyou"
        opened = Arena.open(os.dup(int(arena.reference)), 4096)
        assert opened.memory[:8] == b"helloyou"
        opened.close()
    assert arena.memory.closed
    arena.close()


def test_a_slot_has_room_for_the_input_and_its_thumbnail() -> None:
    """Three bytes a pixel, for the whole and eight boxes, and the rest for the JPEG."""
    settings = WorkerSettings(
        spec=InputSpec(size_px=100),
        thumbnail_px=320,
        limits=DecodeLimits(),
        address_space_bytes=1,
        slots=1,
    )
    assert settings.input_bytes == 30_000
    assert settings.slot_bytes > 9 * settings.input_bytes + 64_000


@pytest.mark.parametrize(
    ("code", "words"),
    [(None, "stopped making sense"), (3, "exit code 3"), (-9, "SIGKILL"), (-200, "signal 200")],
)
def test_a_workers_end_is_told_in_words(code: int | None, words: str) -> None:
    """It becomes part of the sentence for the file."""
    assert words in describe_exit(code)


def frames(count: int, seed: int) -> list[np.ndarray[tuple[int, ...], np.dtype[np.uint8]]]:
    """Made-up model inputs."""
    random = np.random.default_rng(seed)
    return [random.integers(0, 255, (8, 8, 3), dtype=np.uint8) for _ in range(count)]


@pytest.mark.parametrize(("whole", "moments"), [(1, 1), (16, 3), (5, 40)])
def test_frames_come_out_of_the_spool_as_they_went_in(
    tmp_path: Path, whole: int, moments: int
) -> None:
    """First those of the whole, then the moments', then the thumbnails; read-only."""
    folder = SpoolFolder(tmp_path)
    writer = SpoolWriter(folder.path(7), 8)
    kept, taken = frames(moments, 1), frames(whole, 2)
    for frame in kept:
        writer.keep_moment(frame)
    writer.keep_whole(taken)
    thumbnails = [bytes([number]) * (number + 1) for number in range(moments + 1)]
    writer.keep_thumbnails(thumbnails)
    writer.close()
    found, read = folder.take(7, 8, whole, [len(one) for one in thumbnails])
    np.testing.assert_array_equal(found, np.stack([*taken, *kept]))
    assert read == thumbnails
    assert not found.flags.writeable
    assert not Path(folder.path(7)).exists()
    folder.close()
    np.testing.assert_array_equal(found[0], taken[0])


def test_a_damaged_video_is_written_again_from_the_start(tmp_path: Path) -> None:
    """The second reading gives fewer frames: nothing of the first stays behind them."""
    folder = SpoolFolder(tmp_path)
    writer = SpoolWriter(folder.path(1), 8)
    for frame in frames(9, 1):
        writer.keep_moment(frame)
    writer.start_again()
    (only,) = frames(1, 3)
    writer.keep_moment(only)
    writer.keep_whole([only])
    writer.keep_thumbnails([b"a", b"b"])
    writer.close()
    found, _ = folder.take(1, 8, 1, [1, 1])
    np.testing.assert_array_equal(found, np.stack([only, only]))
    folder.close()


@pytest.mark.parametrize("change", [-1, 1])
def test_a_spool_of_another_size_than_the_worker_says_is_refused(
    tmp_path: Path, change: int
) -> None:
    """The disk was full, or the worker lies; the file is taken away all the same."""
    folder = SpoolFolder(tmp_path)
    Path(folder.path(2)).write_bytes(bytes((WHOLE_FRAMES + 1) * 192 + 2 + change))
    with pytest.raises(ValueError, match="the frames take"):
        folder.take(2, 8, 1, [1, 1])
    assert not Path(folder.path(2)).exists()
    with pytest.raises(OSError, match="No such file"):
        folder.take(2, 8, 1, [1, 1])
    folder.drop(2)
    folder.close()


def test_a_worker_overwrites_nothing(tmp_path: Path) -> None:
    """Its file must be new: a link put there leads nowhere."""
    target = tmp_path / "precious"
    target.write_bytes(b"kept")
    link = tmp_path / "link"
    link.symlink_to(target)
    with pytest.raises(FileExistsError):
        SpoolWriter(str(link), 8)
    assert target.read_bytes() == b"kept"


@pytest.mark.skipif(sys.platform == "win32", reason="processes are told apart by number")
def test_the_spool_of_a_killed_program_is_swept_away(tmp_path: Path) -> None:
    """That of a living one stays, and so does whatever has another name."""
    child = subprocess.run([sys.executable, "-c", ""], check=True)
    assert child.returncode == 0
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    names = [f"cocadesk-frames-{ended.pid}-x", f"cocadesk-frames-{os.getpid()}-x", "photos"]
    for name in names:
        (tmp_path / name).mkdir()
    folder = SpoolFolder(tmp_path)
    left = {item.name for item in tmp_path.iterdir()}
    assert names[0] not in left
    assert {names[1], names[2]} < left
    folder.close()
    assert {item.name for item in tmp_path.iterdir()} == {names[1], names[2]}
