"""The model's door: all that other rooms see of a network.

Arrays in, arrays out. Importing this module imports neither torch nor OpenVINO;
what a call needs is loaded by the call.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from cocadesk.model.values import Caption, GenerationOptions, ModelInfo

__all__ = ["Backend", "Caption", "GenerationOptions", "ModelInfo", "open_backend"]


class Backend(Protocol):
    """A network ready for use. Thread-safe; texts never wait behind pictures."""

    def info(self) -> ModelInfo:
        """Names, sizes and device."""
        ...

    def embed_images(self, images_BHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
        """(B, S, S, 3) uint8 RGB → (B, E) float32 of unit norm; any B."""
        ...

    def pooled(
        self, images_BHWC: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The poolers' outputs: unit vectors (B, E) and the decoder's tokens (B, Q, D), float32.

        The vectors are ``embed_images``'s; teaching keeps the tokens instead of pictures.
        """
        ...

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """B texts → (B, E) float32 of unit norm."""
        ...

    def caption(
        self, images_BHWC: NDArray[np.uint8], options: GenerationOptions | None = None
    ) -> list[Caption]:
        """A caption for each picture."""
        ...

    def score(self, images_BHWC: NDArray[np.uint8], texts: Sequence[str]) -> NDArray[np.float32]:
        """Cosine of every picture with every text, (B, T)."""
        ...

    def close(self) -> None:
        """Ends the workers and frees the network."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *error: object) -> None: ...


def open_backend(source: str = "starter", device: str = "auto", *, fetch: bool = True) -> Backend:
    """Opens a network.

    ``source`` is ``"starter"``, a checkpoint folder, its weights file, a run folder, a
    state dict of open_clip's CoCa (file, folder, hub cache), ``"open_clip:NAME/TAG"`` or
    ``"hf-hub:ORG/NAME"``. ``device`` is ``"auto"``, ``"cpu"`` or ``"cuda"``. ``fetch``
    lets the last two be downloaded where they are not on this machine.

    Raises:
        UserError: the source is no model that can be used, is damaged, or is not here.
    """
    from cocadesk.model.runtime.coca_backend import CocaBackend
    from cocadesk.model.source import find_checkpoint

    return CocaBackend(find_checkpoint(source, fetch=fetch), device)
