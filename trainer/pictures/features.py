"""Picture input of the network: cached features of a frozen trunk, or pictures decoded when asked.

The cache lies in the user's cache folder, named by everything that its content
depends on. It is filled once, goes on where it was interrupted and is read
through the page cache.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cocadesk.media.photo.decode import decode_rgb
from cocadesk.media.types import PhotoError
from cocadesk.model.network.config import ImageConfig, ImageEncoderKind
from cocadesk.model.network.image_encoder import ImageEncoder
from cocadesk.model.runtime import openvino as openvino_runtime
from trainer.config import FeatureConfig
from trainer.device import TrainDevice
from trainer.pictures.crops import make_crop
from trainer.pictures.data import Example
from trainer.pictures.store import FeatureStore, Halves

_CHUNK = 32
_MARK_EVERY = 16 * _CHUNK

Progress = Callable[[int, int], None]
"""Gets (done, all); it may raise to stop the work."""

ImageFeatures = Callable[[NDArray[np.uint8]], Sequence[NDArray[np.float32]]]
"""Pictures (B, S, S, 3) uint8 → arrays (B, …)."""


class PictureSource(Protocol):
    """Gives the network's picture input for (picture, crop) pairs."""

    cached: bool

    def fetch(self, picture_B: NDArray[np.int64], crop_B: NDArray[np.int64]) -> Tensor:
        """Features (B, N, C) float16 when cached, else pictures (B, S, S, 3) uint8."""
        ...


def decode(data: bytes) -> NDArray[np.uint8] | None:
    """A shard's picture as RGB, upright; None when it is broken."""
    try:
        return decode_rgb(data).rgb_HWC
    except PhotoError:
        return None


def readable(examples: Sequence[Example]) -> tuple[list[Example], int]:
    """The examples whose picture decodes, and the number of the others."""
    with ThreadPoolExecutor(2) as pool:
        good = list(pool.map(lambda e: decode(e.image) is not None, examples, chunksize=64))
    kept = [example for example, ok in zip(examples, good, strict=True) if ok]
    return kept, len(examples) - len(kept)


class PictureCrops:
    """Any crop of any picture, decoded when asked for."""

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

    def crop(self, picture: int, crop: int) -> NDArray[np.uint8]:
        """(S, S, 3) uint8 of the kind that the config gives this crop."""
        rgb = decode(self._examples[picture].image)
        if rgb is None:
            raise ValueError(f"picture {self._examples[picture].key} cannot be decoded")
        kind, seed = self._config.kinds[crop], (self._seed, 2, picture, crop)
        return make_crop(rgb, self._size_px, self._config, seed, kind)

    def fetch(self, picture_B: NDArray[np.int64], crop_B: NDArray[np.int64]) -> Tensor:
        crops = [self.crop(int(p), int(c)) for p, c in zip(picture_B, crop_B, strict=True)]
        return torch.from_numpy(np.stack(crops))


class FeatureCache:
    """Cached trunk features (pictures, crops, N, C) of the first crops of each picture."""

    cached = True

    def __init__(self, features_PVNC: Halves) -> None:
        self._features_PVNC = features_PVNC

    def fetch(self, picture_B: NDArray[np.int64], crop_B: NDArray[np.int64]) -> Tensor:
        return torch.from_numpy(self._features_PVNC[picture_B, crop_B])


class _Trunk(nn.Module):
    def __init__(self, encoder: ImageEncoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, images_BHWC: Tensor) -> Tensor:
        return self.encoder.features(images_BHWC)


def cache_features(
    encoder: ImageEncoder,
    pictures: PictureCrops,
    examples: Sequence[Example],
    *,
    crops: int,
    folder: Path,
    label: str,
    threads: int,
    device: TrainDevice,
    progress: Progress,
) -> FeatureCache:
    """Fills (or finds) the cache of a frozen trunk's features.

    ``progress`` gets (crops done, all crops). An interrupted run goes on at the
    last chunk that was noted.
    """
    shape = _feature_shape(encoder)
    name = f"features-{_digest(encoder, examples, label, (len(pictures), crops, *shape))}"
    jobs = [(p, v) for v in range(crops) for p in range(len(pictures))]
    store = FeatureStore(folder, name, len(pictures), crops, len(jobs))
    if store.is_whole:
        return FeatureCache(store.arrays()["features"])  # without compiling the trunk
    run = image_features(_Trunk(encoder), encoder.config, device, threads)
    with ThreadPoolExecutor(2) as pool:
        done = store.done
        for chunk, images in _prefetch(pool, jobs[done:], pictures):
            index = np.array(chunk)
            store.put((index[:, 0], index[:, 1]), features=run(images)[0])
            done += len(chunk)
            if done % _MARK_EVERY == 0 or done == len(jobs):
                store.mark(done)
            progress(done, len(jobs))
    return FeatureCache(store.arrays()["features"])


def _feature_shape(encoder: ImageEncoder) -> tuple[int, ...]:
    """The sizes (N, C) of a picture's features."""
    size, where = encoder.config.size_px, next(encoder.parameters()).device
    with torch.inference_mode():
        return encoder.features(torch.zeros(1, size, size, 3, device=where)).shape[1:]


def _prefetch(
    pool: ThreadPoolExecutor, jobs: Sequence[tuple[int, int]], pictures: PictureCrops
) -> Iterator[tuple[Sequence[tuple[int, int]], NDArray[np.uint8]]]:
    """Chunks of pictures, decoded two chunks ahead of their use."""

    def load(chunk: Sequence[tuple[int, int]]) -> NDArray[np.uint8]:
        return np.stack([pictures.crop(p, v) for p, v in chunk])

    waiting: deque[tuple[Sequence[tuple[int, int]], Future[NDArray[np.uint8]]]] = deque()
    for start in range(0, len(jobs), _CHUNK):
        chunk = jobs[start : start + _CHUNK]
        waiting.append((chunk, pool.submit(load, chunk)))
        if len(waiting) > 2:
            first, images = waiting.popleft()
            yield first, images.result()
    for first, images in waiting:
        yield first, images.result()


def image_features(
    module: nn.Module, config: ImageConfig, device: TrainDevice, threads: int = 0
) -> ImageFeatures:
    """A module on pictures, in torch, or by OpenVINO on a CPU for a trunk that it speeds up."""
    is_sped_up = config.kind is ImageEncoderKind.EFFICIENTNET_LITE
    if device.device.type == "cpu" and is_sped_up and openvino_runtime.available():
        return openvino_runtime.CompiledImages(
            openvino_runtime.convert(module, config.size_px), threads=threads
        )
    module.to(device.device).eval()

    def with_torch(images_BHWC: NDArray[np.uint8]) -> Sequence[NDArray[np.float32]]:
        with torch.inference_mode():
            found = module(device.tensor(images_BHWC))
        outputs = found if isinstance(found, tuple) else (found,)
        return [output.float().cpu().numpy() for output in outputs]

    return with_torch


def _digest(
    encoder: ImageEncoder, examples: Sequence[Example], label: str, shape: Sequence[int]
) -> str:
    """A name of what the features depend on: the trunk and its input, not what learns above."""
    config = encoder.config
    seen = (config.size_px, config.resize.value, config.mean, config.std)
    digest = hashlib.sha256(f"{label} {list(shape)} {seen}".encode())
    for example in examples:
        digest.update(hashlib.blake2b(example.image, digest_size=8).digest())
    for name, weight in encoder.state_dict().items():
        if name.startswith("trunk."):
            digest.update(weight.cpu().numpy().tobytes())
    return digest.hexdigest()[:16]
