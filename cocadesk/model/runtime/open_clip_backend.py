"""A CLIP or SigLIP model of open_clip behind the door: it searches, and writes no captions."""

from __future__ import annotations

import hashlib
import json
import logging
import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, NoReturn, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from cocadesk.errors import UserError, tr
from cocadesk.locations import cache_folder
from cocadesk.model.checkpoints.open_clip_towers import SearchTowers
from cocadesk.model.checkpoints.weight_files import first_line
from cocadesk.model.device import DeviceChoice, choose_device
from cocadesk.model.lack_of_memory import is_out_of_memory
from cocadesk.model.runtime.heat_parts import (
    TOWER_SIDE,
    Parts,
    cutout_cover,
    cutouts,
    heat_of_text,
    joined,
)
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
    release_memory,
)
from cocadesk.model.values import Caption, GenerationOptions, ModelInfo, WordHeat
from cocadesk.picture_input import InputSpec, Resize, Scaling
from cocadesk.vectors import unit_vectors

if TYPE_CHECKING:
    import torch

    from cocadesk.model.runtime.open_clip import OpenTowers

log = logging.getLogger(__name__)
_CONTEXT, _MARKERS = 77, 2
"""open_clip's context where settings name none, and the tokens that stand around a text."""
_PICTURES, _TEXTS = 32, 64
"""The most that are computed at once."""
_CUTOUTS = 5
"""Parts of a picture that are looked at between two looks whether they are still wanted."""
_LAYOUT = 1
"""Grows when the ids are computed otherwise: kept ones are made anew."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """What stays the same of a model while its files do; found once, for all of it is read."""

    model_id: str
    image_id: str
    embedding_dim: int
    size_px: int
    resize: str
    scaling: str
    fill: int

    def spec(self) -> InputSpec:
        return InputSpec(
            size_px=self.size_px,
            resize=Resize(self.resize),
            scaling=Scaling(self.scaling),
            fill=self.fill,
        )


class OpenClipBackend:
    """See ``cocadesk.model.backend.Backend``; all but search is refused in a sentence.

    One lane (a thread) does pictures, another texts, so that a query never waits behind a
    batch of photos. The network is loaded when it is first asked for something, but for the
    first time ever: then it is read to give it its ids. What was not used for ``idle_s`` by
    the ``clock`` is freed. It is computed in float32, on the CPU from the moment when an
    accelerator fails.
    """

    def __init__(
        self,
        towers: SearchTowers,
        device: str = "auto",
        *,
        idle_s: float = IDLE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._towers = towers
        self._device: DeviceChoice = choose_device(device)
        self._lock = Lock()
        self._network: OpenTowers | None = None
        self.idle = IdleWatch(self._free, idle_s=idle_s, clock=clock)
        self._facts = _kept(towers) or self._found()
        kept = self._kept_limits()
        self._picture_limit = BatchLimit(_PICTURES, kept, "pictures")
        self._text_limit = BatchLimit(_TEXTS, kept, "texts")
        self._images = ThreadPoolExecutor(1, "images", initializer=give_way)
        self._texts = ThreadPoolExecutor(1, thread_name_prefix="texts")

    def _kept_limits(self) -> KeptLimits:
        return KeptLimits.of(self._facts.model_id, self._device.name or self._device.device)

    def info(self) -> ModelInfo:
        return ModelInfo(
            name=self._towers.name,
            model_id=self._facts.model_id,
            image_id=self._facts.image_id,
            embedding_dim=self._facts.embedding_dim,
            input_spec=self._facts.spec(),
            device=self._device.device,
            precision="float32",
            reason=tr("{reason}; run by open_clip, for search alone", reason=self._device.reason),
            styles=(),
            is_for_captions=False,
            is_multilingual=self._towers.is_multilingual,
        )

    def _found(self) -> _Facts:
        """The facts, from all weights on the CPU; kept for the next time."""
        from cocadesk.model.runtime.open_clip import open_towers

        with self.idle.working():  # the network stays for whoever comes next
            self._network = open_towers(self._towers)
            facts = _facts(self._towers, self._network)
        file = _facts_file(self._towers)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(asdict(facts)), "utf-8")
        except OSError as error:
            log.warning("The ids of %s are computed again next time: %s", self._towers.name, error)
        return facts

    @property
    def _opened(self) -> OpenTowers:
        """The network on its device, once for both lanes."""
        from cocadesk.model.runtime.open_clip import open_towers

        with self._lock:
            opened = self._network or apart(lambda: open_towers(self._towers))
            if _device_of(opened).type != self._device.device:
                self._network = None  # where memory runs out, a part of it has gone there
                opened.network.to(self._device.device)
            self._network = opened
            return opened

    def _free(self) -> None:
        with self._lock:
            self._network = None
        release_memory()

    def _computed(self, work: Callable[[], T]) -> T:
        """What ``work`` gives; by the CPU from the moment when an accelerator fails.

        Raises:
            UserError: the computer's memory does not suffice.
        """
        with self.idle.working():
            before = self._device
            try:
                return work()
            except (MemoryError, RuntimeError) as error:
                is_short = is_out_of_memory(error)
                if not (is_short or (before.device != "cpu" and is_device_lost(error))):
                    raise
                if before.device == "cpu":
                    raise too_little_memory(self._towers.name) from error
                reason = tr(
                    "{device} failed ({error})",
                    device=before.name or before.device,
                    error=first_line(error),
                )
            with self._lock:
                if self._device.device == before.device:  # else the other lane met it first
                    log.warning("%s; the CPU goes on", reason)
                    self._device = DeviceChoice(device="cpu", reason=reason)
                    self._network = None
            release_memory()
            for limit in (self._picture_limit, self._text_limit):
                limit.begin_anew(self._kept_limits())
            return self._computed(work)

    def embed_images(self, images_BHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
        check_images(images_BHWC, self._facts.size_px)
        return self._images.submit(self._computed, lambda: self._embed_images(images_BHWC)).result()

    def _embed_images(self, images_BHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
        _ = self._opened  # not within: fewer pictures open no larger network
        parts = self._picture_limit.over(
            len(images_BHWC), lambda start, end: self._encode_images(images_BHWC[start:end])
        )
        return self._unit(list(parts))

    def _encode_images(self, images_BHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
        opened = self._opened
        import torch

        with torch.inference_mode():
            device = _device_of(opened)
            pixels = torch.from_numpy(np.ascontiguousarray(images_BHWC)).to(device)
            mean = torch.tensor(opened.mean, device=device)
            std = torch.tensor(opened.std, device=device)
            image_BCHW = ((pixels.float() / 255 - mean) / std).permute(0, 3, 1, 2).contiguous()
            return _array(opened.network.encode_image(image_BCHW))

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._texts.submit(
            self._computed, lambda: apart(lambda: self._embed_texts(texts))
        ).result()

    def fitting(self, text: str) -> str:
        """So many of a text's first words as are read; the others change nothing."""
        words = text.split()
        length = int(self._towers.settings["text_cfg"].get("context_length", _CONTEXT))
        if text.isascii() and len(text) < length - _MARKERS:
            return text  # a token is a letter at least
        tokenize = self._computed(lambda: self._opened).tokenize
        whole = tokenize([text])

        def is_whole(count: int) -> bool:
            return bool((tokenize([" ".join(words[:count])]) == whole).all())

        return " ".join(words[: bisect_left(range(len(words)), True, key=is_whole)])

    def _embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        _ = self._opened
        parts = self._text_limit.over(
            len(texts), lambda start, end: self._encode_texts(texts[start:end])
        )
        return self._unit(list(parts))

    def _encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        opened = self._opened
        import torch

        with torch.inference_mode():
            ids_BT = opened.tokenize(list(texts)).to(_device_of(opened))
            return _array(opened.network.encode_text(ids_BT))

    def _unit(self, parts: list[NDArray[np.float32]]) -> NDArray[np.float32]:
        vectors_BE = np.concatenate([np.zeros((0, self._facts.embedding_dim), np.float32), *parts])
        norm = np.linalg.norm(vectors_BE, axis=1)
        if not np.isfinite(norm).all() or (norm == 0).any():
            raise UserError(
                tr("The model gave a vector that is not a number."),
                tr("Its weights are probably damaged."),
                tr("Fetch the model again."),
            )
        return unit_vectors(vectors_BE)

    def score(self, images_BHWC: NDArray[np.uint8], texts: Sequence[str]) -> NDArray[np.float32]:
        return np.asarray(self.embed_images(images_BHWC) @ self.embed_texts(texts).T, np.float32)

    def pooled(
        self, images_BHWC: NDArray[np.uint8]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        self._refuse()

    def caption(
        self, images_BHWC: NDArray[np.uint8], options: GenerationOptions | None = None
    ) -> list[Caption]:
        self._refuse()

    def explain(
        self,
        images_BHWC: NDArray[np.uint8],
        text: str,
        between: Callable[[], None] = nothing,
    ) -> NDArray[np.float32]:
        check_images(images_BHWC, self._facts.size_px)
        vectors_TE = text_told_apart(self.embed_texts, text)
        found = [np.zeros((0, TOWER_SIDE, TOWER_SIDE), np.float32)]
        for image_HWC in images_BHWC:
            cut_BHWC, vectors = cutouts(image_HWC), list[NDArray[np.float32]]()
            for start in range(0, len(cut_BHWC), _CUTOUTS):
                between()
                vectors.append(self.embed_images(cut_BHWC[start : start + _CUTOUTS]))
            parts = Parts(
                scores_KT=np.concatenate(vectors) @ vectors_TE.T,
                cover_KN=cutout_cover(len(image_HWC), TOWER_SIDE),
            )
            found.append(heat_of_text(joined([parts], TOWER_SIDE))[None])
        return np.concatenate(found)

    def explain_words(
        self,
        images_BHWC: NDArray[np.uint8],
        caption: str,
        between: Callable[[], None] = nothing,
    ) -> tuple[WordHeat, ...]:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise UserError(
            tr("This model ({towers}) can only search.", towers=self._towers.name),
            tr("It has no decoder, which writes captions."),
            tr("Captions come from another model: cocadesk model use SOURCE --for captions."),
        )

    def close(self) -> None:
        self.idle.close()
        self._images.shutdown(wait=True, cancel_futures=True)
        self._texts.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _device_of(opened: OpenTowers) -> torch.device:
    device: torch.device = next(opened.network.parameters()).device
    return device


def _array(vectors: torch.Tensor) -> NDArray[np.float32]:
    return np.asarray(vectors.float().cpu().numpy(), np.float32)


def _facts(towers: SearchTowers, opened: OpenTowers) -> _Facts:
    """The ids from config and weights (DESIGN, section 3), and the size of a vector."""
    spec = opened.input_spec
    picture = {"input": asdict(spec), "mean": opened.mean, "std": opened.std}
    settings = json.dumps([towers.settings, picture], sort_keys=True)
    seen = json.dumps([towers.settings["vision_cfg"], picture], sort_keys=True)
    everything, images = hashlib.sha256(settings.encode()), hashlib.sha256(seen.encode())
    for name, weight in sorted(opened.network.state_dict().items()):
        array = np.ascontiguousarray(weight.float().cpu().numpy())
        for digest in (everything, *([images] if name.startswith("visual.") else [])):
            digest.update(f"{name} {array.shape}".encode())
            digest.update(array.data)
    return _Facts(
        model_id=f"{towers.name}-{everything.hexdigest()[:12]}",
        image_id=f"{towers.name}-{images.hexdigest()[:12]}",
        embedding_dim=int(towers.settings["embed_dim"]),
        size_px=spec.size_px,
        resize=spec.resize.value,
        scaling=spec.scaling.value,
        fill=spec.fill,
    )


def _facts_file(towers: SearchTowers) -> Path:
    return cache_folder() / "models" / "search" / f"{_LAYOUT}-{towers.key()}.json"


def _kept(towers: SearchTowers) -> _Facts | None:
    """The facts that were kept of these very files."""
    try:
        facts = _Facts(**json.loads(_facts_file(towers).read_text("utf-8")))
        facts.spec()
    except (OSError, ValueError, TypeError):
        return None
    return facts
