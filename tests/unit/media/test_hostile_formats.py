"""Damaged JPEG XL, camera RAW, Photoshop, tiled and moving files: a sentence each, no crash."""

from __future__ import annotations

import os
import random
from pathlib import Path

from cocadesk.media.pool.pool import DecoderPool
from cocadesk.media.types import DecodedVideo, DecodeFailure, DecodeLimits, DecodeRequest
from cocadesk.picture_input import InputSpec
from tests.support.hostile_media import BROKE_DOWN, MUTATIONS, whole_files

COUNT = 216
NEW = (
    "jxl",
    "dng",
    "preview.dng",
    "psd",
    "psb",
    "tiles.heic",
    "moving.gif",
    "moving.webp",
    "moving.png",
)


def test_damaged_files_of_the_newer_formats_break_no_worker(tmp_path: Path) -> None:
    """Each is read, or refused in a sentence; the worker that began is the one that ends."""
    chance = random.Random(11)
    files = whole_files()
    paths = []
    for number in range(COUNT):
        name = NEW[number % len(NEW)]
        damaged = bytearray(files[name])
        MUTATIONS[number // len(NEW) % len(MUTATIONS)](damaged, chance)
        paths.append(tmp_path / f"{number:04}.{name}")
        paths[-1].write_bytes(damaged)
    wanted = [DecodeRequest(token=at, path=os.fsencode(path)) for at, path in enumerate(paths)]
    with DecoderPool(spec=InputSpec(size_px=32), workers=1, limits=DecodeLimits()) as pool:
        first = pool.worker_pids
        answers = list(pool.decode(wanted))
        assert pool.worker_pids == first
    assert len(answers) == COUNT
    failures = [answer for answer in answers if isinstance(answer, DecodeFailure)]
    assert 20 < len(failures) < COUNT
    assert all(failed.reason[0].isupper() and failed.reason.endswith(".") for failed in failures)
    assert not [failed for failed in failures if any(part in failed.reason for part in BROKE_DOWN)]
    for answer in answers:
        if isinstance(answer, DecodedVideo):
            answer.close()
