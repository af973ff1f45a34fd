"""A CoCa checkpoint of ours behind the door: two lanes, lazily loaded parts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from cocadesk.errors import UserError, tr
from cocadesk.model.checkpoints.checkpoint import WEIGHTS, Checkpoint
from cocadesk.model.checkpoints.converted import known_note
from cocadesk.model.checkpoints.fitting import check_fits
from cocadesk.model.checkpoints.weight_files import map_safetensors
from cocadesk.model.device import DeviceChoice, choose_device
from cocadesk.model.ids import ModelIds
from cocadesk.model.lack_of_memory import is_out_of_memory
from cocadesk.model.network.config import Variant
from cocadesk.model.runtime.lanes import (
    apart,
    check_images,
    give_way,
    nothing,
    text_told_apart,
    too_little_memory,
)
from cocadesk.model.runtime.memory import (
    IDLE_S,
    BatchLimit,
    IdleWatch,
    KeptLimits,
    is_device_lost,
)
from cocadesk.model.runtime.network_parts import NetworkParts
from cocadesk.model.runtime.text_tower import TEXT_PREFIXES, NumpyTextTower
from cocadesk.model.tokenizers.captions import clean_caption, prepare_caption
from cocadesk.model.torch_loading import why_no_torch
from cocadesk.model.values import (
    SENTENCE,
    Caption,
    GenerationOptions,
    Markers,
    ModelInfo,
    RuntimeLimits,
    WordHeat,
)
from cocadesk.picture_input import InputSpec
from cocadesk.vectors import unit_vectors

if TYPE_CHECKING:
    from cocadesk.model.runtime.captions import CaptionWriter
    from cocadesk.model.runtime.image_tower import ImageTower, Pooled

_PICTURES, _CAPTIONS, _TEXTS, _WINDOWS = 128, 128, 1024, 16
"""The most that are computed at once."""

T = TypeVar("T")


class CocaBackend:
    """See ``cocadesk.model.backend.Backend``.

    One lane (a thread) does pictures and captions, another texts, so that a
    query never waits behind a batch of photos; nor for processors, of which pictures take
    all: their threads give way. ``image_tower`` stands in for the one
    that would be chosen. What was not used for ``idle_s`` by the ``clock`` is freed, but for the
    text tower of queries.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        device: str = "auto",
        *,
        limits: RuntimeLimits | None = None,
        image_tower: ImageTower | None = None,
        idle_s: float = IDLE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        check_fits(checkpoint)
        self._checkpoint = checkpoint
        self._limits = limits or RuntimeLimits()
        self._ids = checkpoint.ids()
        choice = choose_device(device)
        self._parts = NetworkParts(checkpoint, choice, self._limits, image_tower)
        kept = _kept_limits(self._ids, choice)
        self._picture_limit = BatchLimit(_PICTURES, kept, "pictures")
        self._caption_limit = BatchLimit(_CAPTIONS, kept, "captions")
        self._text_limit = BatchLimit(_TEXTS, kept, "texts")
        self._window_limit = BatchLimit(_WINDOWS, kept, "parts of a picture")
        self._markers = Markers.of(checkpoint.tokenizer.id_of)
        self._note = known_note(checkpoint)
        weights = map_safetensors(checkpoint.folder / WEIGHTS, TEXT_PREFIXES)
        self._text_tower = NumpyTextTower(checkpoint.config, checkpoint.tokenizer, weights)
        self._images = ThreadPoolExecutor(1, "images", initializer=give_way)
        self._texts = ThreadPoolExecutor(1, thread_name_prefix="texts")
        self.idle = IdleWatch(self._parts.free, idle_s=idle_s, clock=clock)

    def info(self) -> ModelInfo:
        config, device = self._checkpoint.config, self._parts.device
        return ModelInfo(
            name=config.name,
            model_id=self._ids.model_id,
            image_id=self._ids.image_id,
            embedding_dim=config.vector_dim,
            input_spec=InputSpec(size_px=config.image.size_px, resize=config.image.resize),
            device=device.device,
            tagging=self._checkpoint.tagging,
            precision=self._parts.precision,
            reason=f"{device.reason}; {self._note}" if self._note else device.reason,
            styles=tuple(self._markers.styles) or (SENTENCE,),
            caption_precision=self._parts.caption_precision,
            is_for_search=not self._note,
            is_prepared=self._parts.is_prepared(),
            are_captions_prepared=self._parts.are_captions_prepared(),
        )

    @property
    def image_tower(self) -> ImageTower:
        """The tower that does pictures, chosen and opened when it is first asked for."""
        return self._parts.image_tower()

    def _computed(self, work: Callable[[], T]) -> T:
        """What ``work`` gives; by the CPU from the moment when an accelerator fails.

        Raises:
            UserError: the computer's memory does not suffice.
        """
        with self.idle.working():
            before = self._parts.device
            try:
                return work()
            except (MemoryError, RuntimeError) as error:
                if before.device == "cpu":
                    if not is_out_of_memory(error):
                        raise
                    raise too_little_memory(self._checkpoint.config.name) from error
                if not (is_out_of_memory(error) or is_device_lost(error)):
                    raise
                failure = error.with_traceback(None)  # it holds what was computed
            self._parts.leave_accelerator(failure, before)
            kept = _kept_limits(self._ids, self._parts.device)
            for limit in (
                *(self._picture_limit, self._caption_limit),
                *(self._text_limit, self._window_limit),
            ):
                limit.begin_anew(kept)
            return self._computed(work)

    def embed_images(self, images_BHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
        check_images(images_BHWC, self._checkpoint.config.image.size_px)
        return self._images.submit(self._computed, lambda: self._embed_images(images_BHWC)).result()

    def _embed_images(self, images_BHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
        parts = list(self._chunks(images_BHWC, self._parts.image_tower().vectors))
        empty = np.zeros((0, self._checkpoint.config.vector_dim), np.float32)
        return _checked_unit(np.concatenate(parts)) if parts else empty

    def _chunks(
        self, images_BHWC: NDArray[np.uint8], compute: Callable[[NDArray[np.uint8]], T]
    ) -> Iterator[T]:
        """What ``compute`` gives of as many at once as fit into memory."""

        def some(start: int, end: int) -> T:
            with self._parts.arithmetic():
                return compute(images_BHWC[start:end])

        # The tower is opened before, not within: fewer pictures open no larger one.
        return self._picture_limit.over(len(images_BHWC), some)

    def pooled(self, images_BHWC: NDArray[np.uint8]) -> Pooled:
        check_images(images_BHWC, self._checkpoint.config.image.size_px)
        return self._images.submit(self._computed, lambda: self._pool_all(images_BHWC)).result()

    def _pool_all(self, images_BHWC: NDArray[np.uint8]) -> Pooled:
        config = self._checkpoint.config
        if not len(images_BHWC):
            queries = config.pooler.generative_queries
            return (
                np.zeros((0, config.vector_dim), np.float32),
                np.zeros((0, queries, config.text.width), np.float32),
            )
        parts = zip(*self._chunks(images_BHWC, self._parts.image_tower()), strict=True)
        vectors, tokens = (np.concatenate(part) for part in parts)
        return _checked_unit(vectors), tokens

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        prepared = [self._prepare(text) for text in texts]
        return self._texts.submit(self._computed, lambda: self._embed_texts(prepared)).result()

    def _embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """numpy for a query; many texts for a large network are worth loading torch."""
        is_large = self._checkpoint.config.text.width >= self._limits.large_text_tower
        is_worth_it = is_large and len(texts) >= self._limits.many_texts
        if is_worth_it and not why_no_torch():
            return apart(lambda: self._in_torch(texts, self._text_limit))
        parts = self._text_limit.over(len(texts), lambda a, b: self._text_tower(texts[a:b]))
        return self._joined(list(parts))

    def _in_torch(self, texts: Sequence[str], limit: BatchLimit) -> NDArray[np.float32]:
        tower = self._parts.texts()

        def embed(start: int, end: int) -> NDArray[np.float32]:
            with self._parts.arithmetic():
                return tower(texts[start:end])

        return self._joined(list(limit.over(len(texts), embed)))

    def _joined(self, parts: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
        empty = np.zeros((0, self._checkpoint.config.vector_dim), np.float32)
        return _checked(np.concatenate([empty, *parts]))

    def fitting(self, text: str) -> str:
        """So many of a text's first words as the network reads; the others change nothing."""
        text = clean_caption(text)
        return self._checkpoint.tokenizer.fitting(text, self._checkpoint.config.text.context)

    def _prepare(self, text: str) -> str:
        """A query as the network saw captions in training; CLIP's tokenizer cleans for itself."""
        config, tokenizer = self._checkpoint.config.text, self._checkpoint.tokenizer
        if config.variant is not Variant.OPEN_CLIP:
            text = prepare_caption(text, lowercase=config.lowercase)
        return tokenizer.fitting(text, config.context)

    def caption(
        self, images_BHWC: NDArray[np.uint8], options: GenerationOptions | None = None
    ) -> list[Caption]:
        check_images(images_BHWC, self._checkpoint.config.image.size_px)
        wanted = options or GenerationOptions()
        # Here, and not on the lane of pictures: an index goes on while the decoder is loaded.
        apart(lambda: self._computed(lambda: self.captions))
        return self._images.submit(
            self._computed, lambda: self._caption(images_BHWC, wanted)
        ).result()

    @property
    def captions(self) -> CaptionWriter:
        """The writer of captions, opened when it is first asked for."""
        return self._parts.writer(
            self._markers,
            lambda texts: self._parts.texts()([self._prepare(text) for text in texts]),
        )

    def _caption(self, images_BHWC: NDArray[np.uint8], options: GenerationOptions) -> list[Caption]:
        captions: list[Caption] = []
        for vectors_BE, tokens_BQD in self._chunks(images_BHWC, self._parts.image_tower()):
            if options.needs_cosine or options.openings is not None:
                vectors_BE = _checked_unit(vectors_BE)
            pooled = vectors_BE, tokens_BQD
            for some in self._written(pooled, options):
                captions += some
        return captions

    def _written(self, pooled: Pooled, options: GenerationOptions) -> Iterator[list[Caption]]:
        vectors_BE, tokens_BQD = pooled

        writer = self.captions

        def write(start: int, end: int) -> list[Caption]:
            with self._parts.arithmetic():
                return writer.write((vectors_BE[start:end], tokens_BQD[start:end]), options)

        return self._caption_limit.over(len(vectors_BE), write)

    def explain(
        self, images_BHWC: NDArray[np.uint8], text: str, between: Callable[[], None] = nothing
    ) -> NDArray[np.float32]:
        check_images(images_BHWC, self._checkpoint.config.image.size_px)
        vectors_TE = text_told_apart(self.embed_texts, text)

        def found() -> NDArray[np.float32]:
            explainer = self._parts.explainer(self._markers, self._pool_all, self._window_limit)
            with self._parts.arithmetic():
                return explainer.text(images_BHWC, vectors_TE, between)

        return self._images.submit(self._computed, found).result()

    def explain_words(
        self, images_BHWC: NDArray[np.uint8], caption: str, between: Callable[[], None] = nothing
    ) -> tuple[WordHeat, ...]:
        check_images(images_BHWC, self._checkpoint.config.image.size_px)
        prepared = self._prepare(caption)

        def found() -> tuple[WordHeat, ...]:
            explainer = self._parts.explainer(self._markers, self._pool_all, self._window_limit)
            with self._parts.arithmetic():
                return explainer.words(images_BHWC, prepared, between)

        return self._images.submit(self._computed, found).result()

    def score(self, images_BHWC: NDArray[np.uint8], texts: Sequence[str]) -> NDArray[np.float32]:
        return np.asarray(self.embed_images(images_BHWC) @ self.embed_texts(texts).T, np.float32)

    def close(self) -> None:
        self.idle.close()
        self._images.shutdown(wait=True, cancel_futures=True)
        self._texts.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _kept_limits(ids: ModelIds, choice: DeviceChoice) -> KeptLimits:
    return KeptLimits.of(ids.model_id, choice.name or choice.device)


def _checked_unit(vectors_BE: NDArray[np.float32]) -> NDArray[np.float32]:
    return unit_vectors(_checked(vectors_BE))


def _checked(vectors_BE: NDArray[np.float32]) -> NDArray[np.float32]:
    norm = np.linalg.norm(vectors_BE, axis=1)
    if not np.isfinite(norm).all() or (norm == 0).any():
        raise UserError(
            tr("The model gave a vector that is not a number."),
            tr("Its weights are probably damaged."),
            tr("Fetch or train the model again."),
        )
    return vectors_BE
