"""The parts of a network that are opened when they are first used, and freed when idle."""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from cocadesk.errors import tr
from cocadesk.model.checkpoints.checkpoint import Checkpoint
from cocadesk.model.device import FLOAT32, DeviceChoice
from cocadesk.model.ids import ModelIds
from cocadesk.model.lack_of_memory import is_out_of_memory
from cocadesk.model.runtime.memory import BatchLimit, release_memory, trim_heap
from cocadesk.model.runtime.verdict import are_captions_compared
from cocadesk.model.torch_loading import load_torch
from cocadesk.model.values import Markers, RuntimeLimits

if TYPE_CHECKING:
    from cocadesk.model.network.coca import CoCa
    from cocadesk.model.runtime.captions import CaptionWriter
    from cocadesk.model.runtime.explaining import Explainer, Pool
    from cocadesk.model.runtime.image_tower import ImageTower
    from cocadesk.model.runtime.torch import TorchTextTower

log = logging.getLogger(__name__)
_NETWORK, _TOWER, _TEXTS, _WRITER = "network", "image tower", "texts", "captions"
_EXPLAINER = "explainer"
_PARTS = (_NETWORK, _TOWER, _TEXTS, _WRITER, _EXPLAINER)

T = TypeVar("T")


class NetworkParts:
    """The network in torch, its image tower, its tower for many texts, and its writer.

    Each is opened by whoever asks for it first, on any thread. ``given_tower`` stands in for
    the image tower that would be chosen. ``device`` is what came out: an accelerator that does
    not do is left for the CPU.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        device: DeviceChoice,
        limits: RuntimeLimits,
        given_tower: ImageTower | None = None,
    ) -> None:
        self._checkpoint = checkpoint
        self._limits = limits
        self._given_tower = given_tower
        self.device = device
        self._opened: dict[str, Any] = {}
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        self._falling = threading.Lock()
        self._times_left = 0
        self._is_prepared = False

    @property
    def precision(self) -> str:
        """The arithmetic of pictures, as far as it is known yet."""
        dtype = self.device.dtype if self.device.device != "cpu" else FLOAT32
        return getattr(self._opened.get(_TOWER), "precision", dtype)

    @property
    def caption_precision(self) -> str:
        """That of the writer of captions, once it is open."""
        writer: CaptionWriter | None = self._opened.get(_WRITER)
        return "" if writer is None else writer.decoder.precision

    @cached_property
    def _ids(self) -> ModelIds:
        # Of weights without ids beside them a tenth of a second: all of them are read.
        return self._checkpoint.ids()

    def is_prepared(self) -> bool:
        """False while the tower waits for a conversion and a comparison, the first on a computer.

        Of an accelerator, for its own comparison.
        """
        if self._is_prepared or self._given_tower is not None or _TOWER in self._opened:
            return True
        device = self.device
        if device.device == "cpu":
            from cocadesk.model.runtime.image_tower import is_prepared

            self._is_prepared = is_prepared(self._checkpoint, self._ids, self._limits)
        else:
            from cocadesk.model.runtime.placement import is_compared

            self._is_prepared = is_compared(self._ids.model_id, device)
        return self._is_prepared

    def are_captions_prepared(self) -> bool:
        """False while the writer of captions waits for a first comparison on this computer."""
        text, limits = self._checkpoint.config.text, self._limits
        is_plain = text.width < limits.large_decoder or limits.max_caption_loss < 0
        if is_plain or self.device.device != "cpu" or _WRITER in self._opened:
            return True
        return are_captions_compared(self._ids)

    def arithmetic(self) -> AbstractContextManager[object]:
        """The block in which the network is computed; once a part is open."""
        if self.device.device == "cpu":
            return nullcontext()
        from cocadesk.model.runtime.placement import arithmetic

        return arithmetic(self.device)

    def network(self) -> CoCa:
        """The network in torch on its device."""
        return self._part(_NETWORK, self._place)

    def image_tower(self) -> ImageTower:
        """The tower that does pictures."""
        return self._given_tower or self._part(_TOWER, self._open_tower)

    def texts(self) -> TorchTextTower:
        """The tower for many texts at once."""

        def opened() -> TorchTextTower:
            from cocadesk.model.runtime.torch import TorchTextTower

            model = self.network()
            return TorchTextTower(model, self._checkpoint.tokenizer, self.device)

        return self._part(_TEXTS, opened)

    def writer(
        self, markers: Markers, embed: Callable[[Sequence[str]], NDArray[np.float32]]
    ) -> CaptionWriter:
        """The writer of captions; ``embed`` gives vectors of texts by this network."""

        def opened() -> CaptionWriter:
            from cocadesk.model.runtime.caption_decoder import open_decoder
            from cocadesk.model.runtime.captions import CaptionWriter

            if self.device.device != "cpu":
                self.network()  # it may turn out that the CPU computes
            decoder = open_decoder(
                self._checkpoint, self._ids, self.device, self.network, self._limits
            )
            return CaptionWriter(decoder, self._checkpoint.tokenizer, markers, embed)

        return self._part(_WRITER, opened)

    def explainer(self, markers: Markers, pool: Pool, limit: BatchLimit) -> Explainer:
        """What finds where in pictures texts and words lie, so many parts of one at once."""

        def opened() -> Explainer:
            from cocadesk.model.runtime.explaining import Explainer

            model, tokenizer = self.network(), self._checkpoint.tokenizer
            return Explainer(model, tokenizer, markers, self.device.device, pool, limit)

        return self._part(_EXPLAINER, opened)

    def free(self) -> None:
        """Lets go of all that is open; who is in the middle of it ends with it.

        A part that is being opened is waited for.
        """
        names = []
        for name in _PARTS:
            with self._locks[name]:
                if self._opened.pop(name, None) is not None:
                    names.append(name)
        release_memory()
        if names:
            log.info("%s freed: %s", self._checkpoint.config.name, ", ".join(names))

    def leave_accelerator(self, error: BaseException, before: DeviceChoice) -> None:
        """From now on the CPU computes: the accelerator ``before`` has failed with ``error``."""
        with self._falling:
            if self.device.device != before.device:
                return  # the other lane met it first
            why = (
                tr("its memory does not suffice")
                if is_out_of_memory(error)
                else str(error).strip().partition("\n")[0][:200].rstrip(".")
            )
            log.warning("%s is left for the CPU: %s", before.name, why)
            reason = tr("{card} has failed: {why}", card=before.name or before.device, why=why)
            self.device = DeviceChoice(device="cpu", reason=reason)
            self._times_left += 1
        self.free()

    def _place(self) -> CoCa:
        from cocadesk.model.runtime.placement import place

        before = self.device
        model, placed = place(self._checkpoint, self._ids.model_id, before)
        with self._falling:
            if before.device != "cpu" and self.device is before:
                self.device = placed
        return model

    def _open_tower(self) -> ImageTower:
        from cocadesk.model.runtime.image_tower import open_image_tower

        if self.device.device != "cpu":
            self.network()  # it may turn out that the CPU computes
        return open_image_tower(
            self._checkpoint, self._ids, self.device, self.network, self._limits
        )

    def _part(self, name: str, opened: Callable[[], T]) -> T:
        """The part, opened where it is not; anew if the accelerator was left meanwhile."""
        with self._locks[name]:
            while name not in self._opened:
                if name != _TOWER:  # which OpenVINO may be
                    load_torch()
                times, found = self._times_left, opened()
                trim_heap()  # what was needed for the opening alone
                if times == self._times_left:
                    self._opened[name] = found
            part: T = self._opened[name]
            return part
