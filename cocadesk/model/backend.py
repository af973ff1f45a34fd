"""The model's door: all that other rooms see of a network.

Arrays in, arrays out. Importing this module imports neither torch nor OpenVINO;
what a call needs is loaded by the call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from cocadesk.errors import UserError, tr
from cocadesk.locations import STARTER
from cocadesk.model.lack_of_memory import is_out_of_memory
from cocadesk.model.values import Caption, GenerationOptions, ModelInfo, WordHeat

__all__ = [
    "Backend",
    "Caption",
    "GenerationOptions",
    "ModelInfo",
    "WordHeat",
    "limit_threads",
    "open_backend",
    "open_source",
]


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

    def explain(
        self, images_BHWC: NDArray[np.uint8], text: str, between: Callable[[], None] = ...
    ) -> NDArray[np.float32]:
        """Where in pictures a text lies: (B, h, w) float32 heat of 0 to 1, rows from the top.

        The grid is the network's own and lies over its input, which may be a square cut out of
        the photo. The coolest cell is 0; the hottest is 1 where the text fits it clearly better,
        less where no part of the picture fits better than another. ``between`` is called between
        two parts of the work, on whatever thread does it; what it raises ends the work.
        """
        ...

    def explain_words(
        self, images_BHWC: NDArray[np.uint8], caption: str, between: Callable[[], None] = ...
    ) -> tuple[WordHeat, ...]:
        """The same for each word of a caption, in their order, by what writes captions.

        A word is hot where the picture makes it likely after the words before it. Words beyond
        the network's context are left out.
        """
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
    ``"hf-hub:ORG/NAME"``; see ``find_model``. Of a CLIP or SigLIP model the network can
    only search. ``device`` is ``"auto"``, ``"cpu"`` or ``"cuda"``. ``fetch``
    lets the last two be downloaded where they are not on this machine.

    Raises:
        UserError: the source is no model that can be used, is damaged, is not here, or the
            memory does not suffice for it.
    """
    try:
        return _open(source, device, fetch=fetch)
    except (MemoryError, RuntimeError, OSError) as error:
        if not is_out_of_memory(error):
            raise
        from cocadesk.model.runtime.lanes import too_little_memory

        raise too_little_memory(source) from error


def _open(source: str, device: str, *, fetch: bool) -> Backend:
    from cocadesk.model.checkpoints.open_clip_towers import SearchTowers
    from cocadesk.model.source import find_model

    found = find_model(source, fetch=fetch)
    if isinstance(found, SearchTowers):
        from cocadesk.model.runtime.open_clip_backend import OpenClipBackend

        return OpenClipBackend(found, device)
    from cocadesk.model.runtime.coca_backend import CocaBackend

    return CocaBackend(found, device)


def limit_threads(threads: int) -> None:
    """Let networks that this process opens from now on do pictures on so many threads.

    For a process that is one of several on a computer; 0 means what the runtime finds best.
    """
    from cocadesk.model.runtime import openvino

    openvino.threads_of_process = threads


def open_source(
    source: str, runs_folder: Path | None, *, is_chosen_here: bool, fetch: bool | None = None
) -> Backend:
    """The network of a source, which may be a run of a library (``run:ID``).

    ``is_chosen_here`` is False where the library remembers the source: then the
    person may not know where it came from, and hears how to go back. ``fetch`` as in
    ``open_backend``; where it is not given, what is chosen here is fetched.

    Raises:
        UserError: it cannot be opened.
    """
    from cocadesk.model.source import resolve_source

    may_fetch = is_chosen_here if fetch is None else fetch
    try:
        return open_backend(resolve_source(source, runs_folder), device="auto", fetch=may_fetch)
    except UserError as error:
        if is_chosen_here or source == STARTER:
            raise
        raise _lost_model(source, error) from error


def _lost_model(source: str, error: UserError) -> UserError:
    """The error for a library whose model cannot be opened."""
    return UserError(
        tr("The model that this library uses ({source}) cannot be opened.", source=source),
        " ".join(part for part in (error.what, error.why) if part),
        tr(
            "Put its files back, or go back to the model that ships: cocadesk model use {starter}.",
            starter=STARTER,
        ),
    )
