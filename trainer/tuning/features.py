"""Features of several crops of every photo, by the locked image side, kept in the run's folder.

Photos are decoded in the media room's disposable processes. The file grows photo by
photo: an interrupted run goes on where it was, and once it is whole the photos are not
read again, so a run may be resumed although they are gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from cocadesk.errors import kept
from cocadesk.media.formats import is_picture
from cocadesk.media.pool.pool import DecoderPool
from cocadesk.media.types import DecodedPhoto, DecodedVideo, DecodeFailure, DecodeRequest
from trainer.config import CropKind, FeatureConfig
from trainer.pictures.crops import make_crop
from trainer.pictures.features import ImageFeatures, Progress
from trainer.pictures.store import Failure, FeatureStore

if TYPE_CHECKING:
    from cocadesk.picture_input import InputSpec

NOT_A_PHOTO = kept("This is no photo; only photos teach.")
BUDGET_BYTES = 512 << 20
CROPS = FeatureConfig(kinds=(CropKind.PLAIN, *(CropKind.CROP,) * 7), min_area=0.5, light=0.2)
_CHUNK = 8


class PhotoDecoder(Protocol):
    """The part of ``media.DecoderPool`` that is needed."""

    def decode(
        self, requests: Iterable[DecodeRequest], /
    ) -> Iterator[DecodedPhoto | DecodedVideo | DecodeFailure]:
        """An answer to every request, as ready."""
        ...


OpenDecoder: TypeAlias = "Callable[[InputSpec], AbstractContextManager[PhotoDecoder]]"


@dataclass(frozen=True, slots=True, kw_only=True)
class CachedFeatures:
    """V crops of P photos as the locked image side sees them; crop 0 is the plain photo."""

    vectors_PVE: NDArray[np.float16]
    tokens_PVND: NDArray[np.float16]

    def take(self, photos: Sequence[int]) -> CachedFeatures:
        """Some of the photos, read into memory."""
        rows = np.asarray(photos, np.int64)
        return CachedFeatures(
            vectors_PVE=self.vectors_PVE[rows], tokens_PVND=self.tokens_PVND[rows]
        )


def photo_store(folder: Path, name: str, photos: int, crops: int) -> FeatureStore:
    """The features of photos, filled photo by photo; crop 0 is the photo as search sees it."""
    return FeatureStore(folder, name, photos, crops, photos)


def fill(
    store: FeatureStore,
    paths: Sequence[bytes],
    decoder: PhotoDecoder | None,
    image_side: ImageFeatures,
    seed: int,
    progress: Progress,
) -> None:
    """Makes the features that are missing; safe to call again after an interruption.

    ``progress`` gets (photos done, all). A whole store needs no ``decoder``.
    """
    if store.is_whole or decoder is None:
        return
    for start in range(store.done, store.total, _CHUNK):
        chunk = range(start, min(start + _CHUNK, store.total))
        failures = []
        for result in decoder.decode(DecodeRequest(token=i, path=paths[i]) for i in chunk):
            if isinstance(result, DecodedVideo) and is_picture(result.format):
                result = result.still()
            if isinstance(result, DecodedPhoto):
                crops = crops_of(result.input_HWC, store.crops, seed, result.token)
                vectors, tokens = image_side(crops)
                store.put(result.token, vectors=vectors, tokens=tokens)
                continue
            if isinstance(result, DecodedVideo):
                result.close()
            reason = result.reason if isinstance(result, DecodeFailure) else NOT_A_PHOTO
            failures.append(Failure(photo=result.token, reason=reason))
        store.failures += sorted(failures, key=lambda failure: failure.photo)
        store.mark(chunk.stop)
        progress(store.done, store.total)


def cached(store: FeatureStore, photos: Sequence[int]) -> CachedFeatures:
    """Some photos' features, read into memory."""
    arrays = store.arrays()
    whole = CachedFeatures(vectors_PVE=arrays["vectors"], tokens_PVND=arrays["tokens"])
    return whole.take(photos)


def crops_of(plain_HWC: NDArray[np.uint8], crops: int, seed: int, photo: int) -> NDArray[np.uint8]:
    """(V, S, S, 3): the picture itself, then random crops, mirrored and relit."""
    size = plain_HWC.shape[0]
    made = [make_crop(plain_HWC, size, CROPS, (seed, 2, photo, v)) for v in range(1, crops)]
    return np.stack([plain_HWC, *made])


def affordable_crops(photos: int, bytes_per_crop: int) -> int:
    """The number of crops of each photo that fit the budget, at most eight, at least one."""
    return max(1, min(len(CROPS.kinds), BUDGET_BYTES // max(1, photos * bytes_per_crop)))


def crop_bytes(image_side: ImageFeatures, size_px: int) -> int:
    """Bytes that the features of a crop take on disk; the first call also warms up."""
    return 2 * sum(array.size for array in image_side(np.zeros((1, size_px, size_px, 3), np.uint8)))


def open_pool(spec: InputSpec) -> DecoderPool:
    """Two disposable processes that decode; a context manager."""
    return DecoderPool(spec=spec, workers=2, thumbnail_px=32)
