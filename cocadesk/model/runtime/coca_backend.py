"""A CoCa checkpoint of ours behind the door: two lanes, lazily loaded parts."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray

from cocadesk.errors import UserError
from cocadesk.model.checkpoints.checkpoint import WEIGHTS, Checkpoint
from cocadesk.model.checkpoints.converted import known_note
from cocadesk.model.checkpoints.weight_files import map_safetensors
from cocadesk.model.device import DeviceChoice, choose_device
from cocadesk.model.network.config import Variant
from cocadesk.model.runtime.text_tower import TEXT_PREFIXES, NumpyTextTower
from cocadesk.model.tokenizers.captions import prepare_caption
from cocadesk.model.values import (
    SENTENCE,
    Caption,
    GenerationOptions,
    Markers,
    ModelInfo,
    RuntimeLimits,
)
from cocadesk.picture_input import InputSpec
from cocadesk.vectors import unit_vectors

if TYPE_CHECKING:
    from cocadesk.model.network.coca import CoCa
    from cocadesk.model.runtime.captions import CaptionWriter
    from cocadesk.model.runtime.image_tower import ImageTower, Pooled
    from cocadesk.model.runtime.torch import TorchTextTower

log = logging.getLogger(__name__)
_CHUNK = 128
_NICENESS = 5
"""Less than that of decoders, whose work would else wait for pictures to be embedded."""


class CocaBackend:
    """See ``cocadesk.model.backend.Backend``.

    One lane (a thread) does pictures and captions, another texts, so that a
    query never waits behind a batch of photos; nor for processors, of which pictures take
    all: their threads give way. ``image_tower`` stands in for the one
    that would be chosen.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        device: str = "auto",
        *,
        limits: RuntimeLimits | None = None,
        image_tower: ImageTower | None = None,
    ) -> None:
        self._checkpoint = checkpoint
        self._limits = limits or RuntimeLimits()
        self._given_tower = image_tower
        self._device: DeviceChoice = choose_device(device)
        self._ids = checkpoint.ids()
        self._markers = Markers.of(checkpoint.tokenizer.id_of)
        self._note = known_note(checkpoint)
        weights = map_safetensors(checkpoint.folder / WEIGHTS, TEXT_PREFIXES)
        self._text_tower = NumpyTextTower(checkpoint.config, checkpoint.tokenizer, weights)
        self._images = ThreadPoolExecutor(1, "images", initializer=_give_way)
        self._texts = ThreadPoolExecutor(1, thread_name_prefix="texts")
        self._lock = Lock()

    def info(self) -> ModelInfo:
        config = self._checkpoint.config
        return ModelInfo(
            name=config.name,
            model_id=self._ids.model_id,
            image_id=self._ids.image_id,
            embedding_dim=config.vector_dim,
            input_spec=InputSpec(size_px=config.image.size_px, resize=config.image.resize),
            device=self._device.device,
            tagging=self._checkpoint.tagging,
            precision=getattr(self.__dict__.get("image_tower"), "precision", "float32"),
            reason=f"{self._device.reason}; {self._note}" if self._note else self._device.reason,
            styles=tuple(self._markers.styles) or (SENTENCE,),
            is_for_search=not self._note,
        )

    @cached_property
    def image_tower(self) -> ImageTower:
        """The tower that does pictures, chosen and opened when it is first asked for."""
        from cocadesk.model.runtime.image_tower import open_image_tower

        return self._given_tower or open_image_tower(
            self._checkpoint, self._ids, self._device, self._load, self._limits
        )

    def _load(self) -> CoCa:
        """The network in torch, once for both lanes."""
        with self._lock:
            return self._model

    @cached_property
    def _model(self) -> CoCa:
        from cocadesk.model.checkpoints.checkpoint import load_model

        return load_model(self._checkpoint).to(self._device.device)

    @cached_property
    def _torch_texts(self) -> TorchTextTower:
        from cocadesk.model.runtime.torch import TorchTextTower

        return TorchTextTower(self._load(), self._checkpoint.tokenizer, self._device)

    @cached_property
    def captions(self) -> CaptionWriter:
        from cocadesk.model.runtime.captions import CaptionWriter

        return CaptionWriter(
            self._load(),
            self._checkpoint.tokenizer,
            self._markers,
            self._device.device,
            lambda texts: self._torch_texts([self._prepare(text) for text in texts]),
        )

    def embed_images(self, images_BHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
        self._check_images(images_BHWC)
        return self._images.submit(self._embed_images, images_BHWC).result()

    def _embed_images(self, images_BHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
        parts = [vectors for vectors, _ in self._pooled_chunks(images_BHWC)]
        empty = np.zeros((0, self._checkpoint.config.vector_dim), np.float32)
        return _checked_unit(np.concatenate(parts)) if parts else empty

    def _pooled_chunks(self, images_BHWC: NDArray[np.uint8]) -> Iterator[Pooled]:
        for start in range(0, len(images_BHWC), _CHUNK):
            yield self._pooled(images_BHWC[start : start + _CHUNK])

    def _pooled(self, images_BHWC: NDArray[np.uint8]) -> Pooled:
        """The tower on a batch; where memory runs out, on its halves."""
        try:
            return self.image_tower(images_BHWC)
        except (MemoryError, RuntimeError) as error:
            if len(images_BHWC) < 2 or not _is_out_of_memory(error):
                raise
            log.warning("No memory for %d pictures at once; trying half", len(images_BHWC))
        middle = len(images_BHWC) // 2
        halves = self._pooled(images_BHWC[:middle]), self._pooled(images_BHWC[middle:])
        first, second = (np.concatenate(parts) for parts in zip(*halves, strict=True))
        return first, second

    def pooled(self, images_BHWC: NDArray[np.uint8]) -> Pooled:
        self._check_images(images_BHWC)
        return self._images.submit(self._pool_all, images_BHWC).result()

    def _pool_all(self, images_BHWC: NDArray[np.uint8]) -> Pooled:
        config = self._checkpoint.config
        if not len(images_BHWC):
            queries = config.pooler.generative_queries
            return (
                np.zeros((0, config.vector_dim), np.float32),
                np.zeros((0, queries, config.text.width), np.float32),
            )
        parts = zip(*self._pooled_chunks(images_BHWC), strict=True)
        vectors, tokens = (np.concatenate(part) for part in parts)
        return _checked_unit(vectors), tokens

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._texts.submit(self._embed_texts, [self._prepare(t) for t in texts]).result()

    def _embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """numpy for a query; many texts for a large network are worth loading torch."""
        is_large = self._checkpoint.config.text.width >= self._limits.large_text_tower
        if is_large and len(texts) >= self._limits.many_texts:
            return self._torch_texts(texts)
        return self._text_tower(texts)

    def _prepare(self, text: str) -> str:
        """A query as the network saw captions in training; CLIP's tokenizer cleans for itself."""
        if self._checkpoint.config.text.variant is Variant.OPEN_CLIP:
            return text
        return prepare_caption(text, lowercase=self._checkpoint.config.text.lowercase)

    def caption(
        self, images_BHWC: NDArray[np.uint8], options: GenerationOptions | None = None
    ) -> list[Caption]:
        self._check_images(images_BHWC)
        wanted = options or GenerationOptions()
        # Here, and not on the lane of pictures: an index goes on while the decoder is loaded.
        writer = self.captions
        return self._images.submit(self._caption, writer, images_BHWC, wanted).result()

    def _caption(
        self, writer: CaptionWriter, images_BHWC: NDArray[np.uint8], options: GenerationOptions
    ) -> list[Caption]:
        captions: list[Caption] = []
        for vectors_BE, tokens_BQD in self._pooled_chunks(images_BHWC):
            if options.needs_cosine or options.openings is not None:
                vectors_BE = _checked_unit(vectors_BE)
            captions += writer.write((vectors_BE, tokens_BQD), options)
        return captions

    def score(self, images_BHWC: NDArray[np.uint8], texts: Sequence[str]) -> NDArray[np.float32]:
        return np.asarray(self.embed_images(images_BHWC) @ self.embed_texts(texts).T, np.float32)

    def _check_images(self, images_BHWC: NDArray[np.uint8]) -> None:
        size = self._checkpoint.config.image.size_px
        if images_BHWC.dtype != np.uint8 or images_BHWC.shape[1:] != (size, size, 3):
            raise ValueError(
                f"pictures must be (B, {size}, {size}, 3) uint8, "
                f"not {images_BHWC.shape} {images_BHWC.dtype}"
            )

    def close(self) -> None:
        self._images.shutdown(wait=True, cancel_futures=True)
        self._texts.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _give_way() -> None:
    """Lower the priority of this thread, and so of those that it starts."""
    if sys.platform == "linux":  # elsewhere it would be that of the whole process
        os.nice(_NICENESS)


def _is_out_of_memory(error: Exception) -> bool:
    """torch's OutOfMemoryError is a RuntimeError, and the CPU allocator's has no own type."""
    return isinstance(error, MemoryError) or "memory" in str(error).lower()


def _checked_unit(vectors_BE: NDArray[np.float32]) -> NDArray[np.float32]:
    norm = np.linalg.norm(vectors_BE, axis=1)
    if not np.isfinite(norm).all() or (norm == 0).any():
        raise UserError(
            "The model gave a vector that is not a number.",
            "Its weights are probably damaged.",
            "Fetch or train the model again.",
        )
    return unit_vectors(vectors_BE)
