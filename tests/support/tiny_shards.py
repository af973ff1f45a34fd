"""WebDataset shards of made-up coloured pictures with captions that name the colour."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import cv2
import numpy as np

COLOURS = {
    "red": (220, 30, 30),
    "green": (30, 200, 40),
    "blue": (30, 40, 220),
    "white": (240, 240, 240),
    "black": (12, 12, 12),
    "yellow": (230, 220, 30),
}


def jpeg(rgb: tuple[int, int, int], seed: int, side_px: int = 80) -> bytes:
    """A JPEG of one colour with noise and a dark square at a seeded place."""
    random = np.random.default_rng(seed)
    picture = np.clip(random.normal(0, 12, (side_px, side_px, 3)) + rgb, 0, 255).astype(np.uint8)
    left, top = random.integers(0, side_px // 2, 2)
    picture[top : top + 20, left : left + 20] = random.integers(0, 255, 3)
    return bytes(cv2.imencode(".jpg", picture[:, :, ::-1])[1])


def add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    """One member of a tar."""
    member = tarfile.TarInfo(name)
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))


def write_shard(path: Path, count: int = 24, seed: int = 0) -> Path:
    """``count`` pictures, each with two captions."""
    with tarfile.open(path, "w") as tar:
        for index in range(count):
            colour = list(COLOURS)[index % len(COLOURS)]
            captions = [f"a {colour} picture number {index}.", f"something {colour}"]
            record = {"captions": captions, "source": "made"}
            add(tar, f"{index:04d}.jpg", jpeg(COLOURS[colour], seed * 1000 + index))
            add(tar, f"{index:04d}.json", json.dumps(record).encode())
    return path
