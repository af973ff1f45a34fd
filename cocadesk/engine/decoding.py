"""Pictures for the model, decoded in worker processes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cocadesk.annotations.describe import WantedPicture
    from cocadesk.media.pool.pool import DecoderPool
    from cocadesk.media.types import DecodedPhoto, DecodedVideo
    from cocadesk.model.backend import ModelInfo

WORKERS = 2


class PoolDecoder:
    """Decodes for captions and tags (``annotations.describe.Decoder``) until it is closed.

    The worker processes start with the first picture. Of a video without a time, the
    frame of its middle moment is taken.
    """

    def __init__(self, info: ModelInfo) -> None:
        self._info = info
        self._pool: DecoderPool | None = None

    def __enter__(self) -> PoolDecoder:
        return self

    def __exit__(self, *error: object) -> None:
        if self._pool is not None:
            self._pool.close()

    def __call__(
        self, wanted: Sequence[WantedPicture], /
    ) -> Iterator[tuple[str, NDArray[np.uint8] | str]]:
        from cocadesk.media.pool.pool import DecoderPool
        from cocadesk.media.types import DecodeFailure, DecodeRequest

        if self._pool is None:
            workers = min(WORKERS, len(wanted))
            self._pool = DecoderPool(spec=self._info.input_spec, workers=workers)
        requests = [
            DecodeRequest(
                token=place, path=item.path, time_s=item.time_s, duration_s=item.duration_s
            )
            for place, item in enumerate(wanted)
        ]
        for answer in self._pool.decode(requests):
            key = wanted[answer.token].key
            yield key, answer.reason if isinstance(answer, DecodeFailure) else _picture(answer)


def _picture(answer: DecodedPhoto | DecodedVideo) -> NDArray[np.uint8]:
    from cocadesk.media.types import DecodedVideo

    photo = answer.still() if isinstance(answer, DecodedVideo) else answer
    picture: NDArray[np.uint8] = photo.input_HWC.copy()
    return picture
