"""The pool of decoder processes, with real processes that really die and hang."""

from __future__ import annotations

import os
import signal
import struct
import sys
import threading
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest

from cocadesk.errors import UserError
from cocadesk.media.photo.decode import decode_photo
from cocadesk.media.pool.pool import DecoderPool
from cocadesk.media.types import (
    DecodedPhoto,
    DecodedVideo,
    DecodeFailure,
    DecodeLimits,
    DecodeRequest,
    ReadMetadata,
)
from cocadesk.picture_input import InputSpec
from tests.support.photo_files import encode, exif_block, natural_picture, quadrants

SPEC = InputSpec(size_px=48)
BREAKING = "tests.support.breaking_worker"


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    """Twenty small photos, each with its own content."""
    paths = []
    for index in range(20):
        path = tmp_path / f"photo{index:02}.jpg"
        path.write_bytes(encode(natural_picture(160 + index, 120, seed=index), "JPEG"))
        paths.append(path)
    return paths


def requests(paths: list[Path]) -> list[DecodeRequest]:
    """One request a path; the token is its place in the list."""
    return [DecodeRequest(token=token, path=os.fsencode(path)) for token, path in enumerate(paths)]


Result = DecodedPhoto | DecodedVideo | DecodeFailure | ReadMetadata


def by_token(results: Iterator[Result]) -> list[Result]:
    """All results in the order of their tokens; every token once."""
    ordered = sorted(results, key=lambda result: result.token)
    assert [result.token for result in ordered] == list(range(len(ordered)))
    return ordered


def test_the_pool_gives_what_the_core_gives(photos: list[Path]) -> None:
    """Every field, through shared memory and back."""
    with DecoderPool(spec=SPEC, workers=2) as pool:
        results = by_token(pool.decode(requests(photos)))
    for path, result in zip(photos, results, strict=True):
        expected = decode_photo(path, SPEC)
        assert isinstance(result, DecodedPhoto)
        assert np.array_equal(result.input_HWC, expected.input_HWC)
        assert result.thumbnail_jpeg == expected.thumbnail_jpeg
        assert result.path == expected.path
        assert (result.width, result.height) == (expected.width, expected.height)
        assert (result.file_hash, result.picture_hash) == (
            expected.file_hash,
            expected.picture_hash,
        )
        assert result.metadata == expected.metadata


def test_metadata_come_without_a_decode(photos: list[Path]) -> None:
    """Also of a photo whose picture is damaged behind its head; a lost file is answered too."""
    photos[1].write_bytes(encode(quadrants(), "JPEG", exif=exif_block({0x0110: "Camera 7"}))[:-40])
    photos[2].unlink()
    with DecoderPool(spec=SPEC, workers=1) as pool:
        found = by_token(pool.metadata(requests(photos[:3])))
        again = by_token(pool.decode(requests(photos[:1])))
    assert isinstance(found[1], ReadMetadata)
    assert found[1].metadata.camera == "Camera 7"
    assert isinstance(found[2], DecodeFailure)
    assert isinstance(again[0], DecodedPhoto)
    assert found[0].metadata == again[0].metadata


def test_what_the_model_sees_alone_comes_without_the_rest(photos: list[Path]) -> None:
    """And a worker that reads still pictures alone has not loaded PyAV."""
    asked = [replace(request, is_input_only=True) for request in requests(photos)]
    with DecoderPool(spec=SPEC, workers=1) as pool:
        whole, alone = by_token(pool.decode(requests(photos))), by_token(pool.decode(asked))
        for pid in pool.worker_pids if sys.platform == "linux" else ():
            assert "/av/" not in Path(f"/proc/{pid}/maps").read_text("utf-8")
    for one, other in zip(whole, alone, strict=True):
        assert isinstance(one, DecodedPhoto)
        assert isinstance(other, DecodedPhoto)
        assert np.array_equal(one.input_HWC, other.input_HWC)
        assert (other.thumbnail_jpeg, other.picture_hash) == (b"", one.picture_hash)


def test_results_keep_their_pixels_while_others_are_decoded(photos: list[Path]) -> None:
    """A result owns its memory: the slot it came through is used again."""
    with DecoderPool(spec=SPEC, workers=1, slots=1) as pool:
        results = by_token(pool.decode(requests(photos)))
    pictures = {result.input_HWC.tobytes() for result in results if hasattr(result, "input_HWC")}
    assert len(pictures) == len(photos)


def test_a_bad_file_is_answered_and_the_rest_goes_on(photos: list[Path]) -> None:
    """Empty, missing and truncated files, each with a sentence."""
    photos[3].write_bytes(b"")
    photos[7].unlink()
    photos[9].write_bytes(photos[9].read_bytes()[:900])
    with DecoderPool(spec=SPEC, workers=2) as pool:
        results = by_token(pool.decode(requests(photos)))
    failed = {result.token: result for result in results if isinstance(result, DecodeFailure)}
    assert sorted(failed) == [3, 7, 9]
    assert not failed[3].is_photo
    assert failed[9].is_photo
    assert all(result.reason.endswith(".") for result in failed.values())


def test_workers_do_not_get_the_keys_of_an_object_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """They read other people's files, and need no account."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hush")
    with DecoderPool(spec=SPEC, workers=1) as pool:
        environments = [psutil.Process(pid).environ() for pid in pool.worker_pids]
    assert [name for one in environments for name in one if name.startswith("AWS_")] == []
    assert environments


def test_a_killed_worker_is_replaced_and_nothing_is_lost(photos: list[Path]) -> None:
    """Its file was innocent and is decoded by the next worker."""
    with DecoderPool(spec=SPEC, workers=2) as pool:
        assert len(list(pool.decode(requests(photos)))) == 20
        before = set(pool.worker_pids)
        for pid in before:
            os.kill(pid, signal.SIGTERM if sys.platform == "win32" else signal.SIGKILL)
        results = by_token(pool.decode(requests(photos)))
        assert all(isinstance(result, DecodedPhoto) for result in results)
        assert before.isdisjoint(pool.worker_pids)


def test_a_file_that_breaks_the_decoder_fails_after_a_second_try(photos: list[Path]) -> None:
    """It is named, for good; the others are decoded."""
    photos[4] = photos[4].rename(photos[4].with_name("crash.jpg"))
    with DecoderPool(spec=SPEC, workers=2, worker_module=BREAKING) as pool:
        results = by_token(pool.decode(requests(photos)))
    (failed,) = [result for result in results if isinstance(result, DecodeFailure)]
    assert (failed.token, failed.is_passing, failed.is_killed) == (4, False, False)
    assert "exit code 9" in failed.reason


def test_a_worker_that_talks_nonsense_is_replaced(photos: list[Path]) -> None:
    """A taken-over worker can send nothing that the pool would act on."""
    photos[2] = photos[2].rename(photos[2].with_name("babble.jpg"))
    with DecoderPool(spec=SPEC, workers=1, worker_module=BREAKING) as pool:
        results = by_token(pool.decode(requests(photos)))
    assert [result.token for result in results if isinstance(result, DecodeFailure)] == [2]


def test_workers_that_never_start_are_a_user_error(
    photos: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Instead of starting new ones for ever."""
    monkeypatch.setenv("COCADESK_TEST_STILLBORN", "1")
    with (
        DecoderPool(spec=SPEC, workers=1, worker_module=BREAKING) as pool,
        pytest.raises(UserError, match="cannot start"),
    ):
        list(pool.decode(requests(photos)))


def test_a_cancelled_decode_leaves_the_pool_usable(photos: list[Path]) -> None:
    """Late answers of the first run are not given to the second."""
    with DecoderPool(spec=SPEC, workers=2) as pool:
        first = pool.decode(requests(photos))
        next(first)
        first.close()
        again = by_token(pool.decode(requests(photos[::-1])))
    assert [result.path for result in again] == [os.fsencode(path) for path in photos[::-1]]


def test_requests_are_read_only_a_little_ahead(photos: list[Path]) -> None:
    """A million files do not pile up in memory."""
    taken: list[int] = []

    def watched() -> Iterator[DecodeRequest]:
        for request in requests(photos):
            taken.append(request.token)
            yield request

    with DecoderPool(spec=SPEC, workers=1, slots=3) as pool:
        results = pool.decode(watched())
        next(results)
        assert len(taken) == 3
        results.close()


def test_only_one_decode_runs_at_a_time(photos: list[Path]) -> None:
    """A second one, or one on a closed pool, is a fault of the program."""
    with DecoderPool(spec=SPEC, workers=1) as pool:
        first = pool.decode(requests(photos))
        next(first)
        with pytest.raises(RuntimeError, match="under way"):
            next(pool.decode(requests(photos)))
        first.close()
    with pytest.raises(RuntimeError, match="closed"):
        next(pool.decode(requests(photos)))


def test_a_decode_is_stopped_from_another_thread_and_the_pool_goes_on(
    photos: list[Path], tmp_path: Path
) -> None:
    """A video that takes hours is waited for by nobody: its worker ends, the next has others."""
    endless = tmp_path / "endless.jpg"
    endless.write_bytes(photos[0].read_bytes())
    is_sent = threading.Event()

    def asked() -> Iterator[DecodeRequest]:
        yield DecodeRequest(token=0, path=os.fsencode(endless))
        is_sent.set()

    with DecoderPool(spec=SPEC, workers=1, worker_module=BREAKING) as pool:
        answers: list[object] = []
        thread = threading.Thread(target=lambda: answers.extend(pool.decode(asked())))
        thread.start()
        is_sent.wait()
        pool.stop()
        thread.join()
        assert answers == []
        assert len(list(pool.decode(requests(photos)))) == len(photos)
        assert len(pool.worker_pids) == 1


@pytest.mark.skipif(sys.platform == "win32", reason="a Unix view of a process")
def test_decoders_do_not_learn_the_secret_of_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever takes one over by a hostile file could have others run what it likes."""
    monkeypatch.setenv("RAY_AUTH_TOKEN", "secret")
    with DecoderPool(spec=InputSpec(size_px=32), workers=1) as pool:
        environment = psutil.Process(pool.worker_pids[0]).environ()
    assert "PATH" in environment
    assert not [name for name in environment if name.startswith("RAY_")]


def test_closing_ends_all_workers(photos: list[Path]) -> None:
    """No process is left, and closing twice does no harm."""
    pool = DecoderPool(spec=SPEC, workers=2)
    assert len(list(pool.decode(requests(photos)))) == 20
    pids = pool.worker_pids
    pool.close()
    pool.close()
    assert not any(psutil.pid_exists(pid) for pid in pids)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux enforces the limit")
def test_the_address_space_limit_turns_greed_into_a_failure(tmp_path: Path) -> None:
    """A picture that the estimate lets pass still cannot take more than its worker may."""
    large = tmp_path / "large.png"
    data = bytearray(encode(np.zeros((1, 1), np.uint8), "PNG"))
    data[16:29] = struct.pack(">IIBBBBB", 20_000, 12_000, 8, 0, 0, 0, 1)  # interlaced: read whole
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    large.write_bytes(data)
    small = tmp_path / "small.png"
    small.write_bytes(encode(quadrants(), "PNG"))
    limits = DecodeLimits(memory_bytes=1 << 40)
    with DecoderPool(spec=SPEC, workers=1, limits=limits, address_space_bytes=512 << 20) as pool:
        large_result, small_result = by_token(pool.decode(requests([large, small])))
    assert isinstance(large_result, DecodeFailure)
    assert "memory" in large_result.reason
    assert isinstance(small_result, DecodedPhoto)


def test_names_that_are_no_utf8_travel_unchanged(tmp_path: Path) -> None:
    """From the request to the worker and back."""
    path = os.fsencode(tmp_path) + b"/\xff\xfe caf\xe9.jpg"
    try:
        Path(os.fsdecode(path)).write_bytes(encode(quadrants(), "JPEG"))
    except OSError:
        pytest.skip("this file system refuses names that are not UTF-8")
    with DecoderPool(spec=SPEC, workers=1) as pool:
        (result,) = pool.decode([DecodeRequest(token=1, path=path)])
    assert isinstance(result, DecodedPhoto)
    assert result.path == path
