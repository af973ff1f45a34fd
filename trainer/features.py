"""What the network is fed: cached features of a frozen trunk, or pictures decoded on the fly.

The cache is a float16 file (pictures × views × tokens × channels) in the user's
cache folder, named by everything that its content depends on. It is filled
once, goes on where it was interrupted and is read through the page cache.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cocadesk.media import PhotoError, decode_rgb
from cocadesk.model.network.image_encoder import ImageEncoder
from cocadesk.model.runtime import openvino as openvino_runtime
from trainer.augment import make_view, plain_view
from trainer.config import FeatureConfig
from trainer.data import Example

log = logging.getLogger(__name__)
_CHUNK = 32

Progress = Callable[[int, int], None]


class PictureSource(Protocol):
    """Gives the network's picture input for (picture, view) pairs."""

    cached: bool

    def fetch(self, picture_B: NDArray[np.int64], view_B: NDArray[np.int64]) -> Tensor:
        """Features (B, N, C) float16 when cached, else pictures (B, S, S, 3) uint8."""
        ...


def decode(data: bytes) -> NDArray[np.uint8] | None:
    """A shard's picture as RGB, upright; None when it is broken."""
    try:
        return decode_rgb(data).rgb_HWC
    except PhotoError:
        return None


def readable(examples: Sequence[Example]) -> tuple[list[Example], int]:
    """The examples whose picture decodes, and how many do not."""
    with ThreadPoolExecutor(2) as pool:
        good = list(pool.map(lambda e: decode(e.image) is not None, examples, chunksize=64))
    kept = [example for example, ok in zip(examples, good, strict=True) if ok]
    return kept, len(examples) - len(kept)


class PictureViews:
    """Any view of any picture, decoded when asked for."""

    cached = False

    def __init__(
        self, examples: Sequence[Example], size_px: int, config: FeatureConfig, seed: int
    ) -> None:
        self._examples = examples
        self._size_px = size_px
        self._config = config
        self._seed = seed

    def __len__(self) -> int:
        return len(self._examples)

    def view(self, picture: int, view: int) -> NDArray[np.uint8]:
        """(S, S, 3) uint8; view 0 is the plain picture."""
        rgb = decode(self._examples[picture].image)
        if rgb is None:
            raise ValueError(f"picture {self._examples[picture].key} cannot be decoded")
        if view == 0:
            return plain_view(rgb, self._size_px)
        return make_view(rgb, self._size_px, self._config, (self._seed, 2, picture, view))

    def fetch(self, picture_B: NDArray[np.int64], view_B: NDArray[np.int64]) -> Tensor:
        views = [self.view(int(p), int(v)) for p, v in zip(picture_B, view_B, strict=True)]
        return torch.from_numpy(np.stack(views))


class _Features(nn.Module):
    def __init__(self, encoder: ImageEncoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, images_BHWC: Tensor) -> Tensor:
        return self.encoder.features(images_BHWC)


class FeatureCache:
    """Cached trunk features of the first ``views`` views of each picture."""

    cached = True

    def __init__(self, path: Path, shape: tuple[int, int, int, int]) -> None:
        self.path = path
        self._shape = shape
        self._array: NDArray[np.float16] = np.memmap(path, np.float16, "r", shape=shape)

    def fetch(self, picture_B: NDArray[np.int64], view_B: NDArray[np.int64]) -> Tensor:
        return torch.from_numpy(self._array[picture_B, view_B])


def cache_features(
    encoder: ImageEncoder,
    pictures: PictureViews,
    examples: Sequence[Example],
    *,
    views: int,
    folder: Path,
    label: str,
    threads: int,
    progress: Progress,
) -> FeatureCache:
    """Fills (or finds) the cache of a frozen trunk's features.

    ``progress`` gets (views done, all views). Work is kept in chunks: an
    interrupted run goes on at the last whole chunk.
    """
    run = _runner(encoder, pictures.view(0, 0).shape[0], threads)
    probe = run(pictures.view(0, 0)[None])
    shape = (len(pictures), views, *probe.shape[1:])
    path = folder / f"features-{_digest(encoder, examples, label, shape)}.f16"
    marker = path.with_suffix(".done")
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [(p, v) for v in range(views) for p in range(len(pictures))]
    if not _is_complete(marker, path, len(jobs)):
        _fill(path, shape, marker, jobs, pictures, run, progress)
    return FeatureCache(path, shape)


def _is_complete(marker: Path, path: Path, total: int) -> bool:
    return path.exists() and marker.exists() and _done(marker) >= total


def _done(marker: Path) -> int:
    return int(json.loads(marker.read_text())["done"]) if marker.exists() else 0


def _fill(
    path: Path,
    shape: tuple[int, ...],
    marker: Path,
    jobs: list[tuple[int, int]],
    pictures: PictureViews,
    run: Callable[[NDArray[np.uint8]], NDArray[np.float32]],
    progress: Progress,
) -> None:
    fresh = not path.exists()
    array = np.memmap(path, np.float16, "w+" if fresh else "r+", shape=shape)
    start = 0 if fresh else _done(marker)
    with ThreadPoolExecutor(2) as pool:
        for done, chunk, images in _prefetch(pool, jobs, start, pictures):
            features = run(images)
            index = np.array(chunk)
            array[index[:, 0], index[:, 1]] = features
            if done % (_CHUNK * 16) == 0 or done == len(jobs):
                array.flush()
                marker.write_text(json.dumps({"done": done}))
            progress(done, len(jobs))


def _prefetch(
    pool: ThreadPoolExecutor, jobs: list[tuple[int, int]], start: int, pictures: PictureViews
) -> Iterator[tuple[int, list[tuple[int, int]], NDArray[np.uint8]]]:
    """Chunks of pictures, decoded two chunks ahead of their use."""

    def load(chunk: list[tuple[int, int]]) -> NDArray[np.uint8]:
        return np.stack([pictures.view(p, v) for p, v in chunk])

    chunks = [jobs[s : s + _CHUNK] for s in range(start, len(jobs), _CHUNK)]
    waiting = [pool.submit(load, chunk) for chunk in chunks[:3]]
    done = start
    for index, chunk in enumerate(chunks):
        images = waiting.pop(0).result()
        if index + 3 < len(chunks):
            waiting.append(pool.submit(load, chunks[index + 3]))
        done += len(chunk)
        yield done, chunk, images


def _runner(
    encoder: ImageEncoder, size_px: int, threads: int
) -> Callable[[NDArray[np.uint8]], NDArray[np.float32]]:
    """The trunk on pictures: OpenVINO where it is installed, else torch."""
    module = _Features(encoder)
    if openvino_runtime.available():
        compiled = openvino_runtime.CompiledImages(
            openvino_runtime.convert(module, size_px), threads=threads
        )
        return lambda images: compiled(images)[0]

    def with_torch(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        with torch.inference_mode():
            return np.asarray(module(torch.from_numpy(images)).numpy(), np.float32)

    return with_torch


def _digest(
    encoder: ImageEncoder, examples: Sequence[Example], label: str, shape: Sequence[int]
) -> str:
    digest = hashlib.sha256(f"{label} {list(shape)} {encoder.config}".encode())
    for example in examples:
        digest.update(hashlib.blake2b(example.image, digest_size=8).digest())
    for name, weight in encoder.state_dict().items():
        if name.startswith("trunk."):
            digest.update(weight.numpy().tobytes())
    return digest.hexdigest()[:16]
