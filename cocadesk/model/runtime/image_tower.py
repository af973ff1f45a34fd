"""Pictures to vectors and pooled tokens: OpenVINO where it agrees and is faster, else torch.

And there in bfloat16, where the CPU has it, under the same conditions: a ViT as a whole, an
EfficientNet behind its first layers.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cocadesk.locations import cache_folder
from cocadesk.model.checkpoints.checkpoint import WEIGHTS, Checkpoint, load_model
from cocadesk.model.checkpoints.int8_rows import MappedFloats
from cocadesk.model.device import DeviceChoice
from cocadesk.model.ids import ModelIds
from cocadesk.model.lack_of_memory import is_out_of_memory
from cocadesk.model.mapped_files import forget_mapped
from cocadesk.model.network.config import ImageEncoderKind, PoolerDesign
from cocadesk.model.runtime import openvino as openvino_runtime
from cocadesk.model.runtime.agreement import ImageTower as ImageTower
from cocadesk.model.runtime.agreement import Pooled as Pooled
from cocadesk.model.runtime.agreement import Trial, Verdict, compare, tried
from cocadesk.model.runtime.memory import trim_heap
from cocadesk.model.runtime.openvino_vit import IMAGE_PREFIXES, VIT_BATCH, vit_model
from cocadesk.model.values import RuntimeLimits

if TYPE_CHECKING:
    from cocadesk.model.network.coca import CoCa
    from cocadesk.model.runtime.torch import TorchImageTower

log = logging.getLogger(__name__)
#: Grows when the network's code or its conversion changes: kept conversions are made anew.
CONVERSION = 3
HALF_BATCH = 8
"""The pictures that an EfficientNet's layers in bfloat16 get at once: the starter's same vectors
in .84 of the time."""
_PRECISIONS = {"bfloat16": "bf16", "float32": "f32"}
_COMPARED = 4
"""The pictures on which a ViT is compared: torch takes 1.6 s for each with L-14."""


def open_image_tower(
    checkpoint: Checkpoint,
    ids: ModelIds,
    device: DeviceChoice,
    load: Callable[[], CoCa],
    limits: RuntimeLimits,
) -> ImageTower:
    """The fastest tower that gives this checkpoint's vectors on this device.

    ``load`` gives the network in torch, where it is needed. The first opening
    converts and compares (some seconds); the verdict and the converted model are
    kept in the cache folder, so later ones need no torch.
    """
    image = checkpoint.config.image
    if device.device != "cpu" or not _gains(checkpoint, limits):
        return _in_torch(load(), device.device)
    path = _path_of(checkpoint, ids)
    if _is_written_out(checkpoint):
        return _open_vit(checkpoint, path, limits) or _in_torch(load(), "cpu")
    verdict = Verdict.kept_in(path.with_suffix(".json"))
    if verdict is not None and verdict.settles(limits.min_cosine) and path.exists():
        if verdict.accepts(limits.min_cosine):
            return _in_openvino(path, image.size_px, limits)
        return _in_torch(load(), "cpu")
    torch_tower = _in_torch(load(), "cpu")
    try:
        tower = _convert(torch_tower, image.size_px, path, limits, verdict)
    except RuntimeError as error:  # OpenVINO's only exception type
        if is_out_of_memory(error):
            raise
        log.warning("OpenVINO cannot run this model, torch does: %s", error)
        return torch_tower
    if tower is torch_tower or not path.exists():
        return tower
    return _in_openvino(path, image.size_px, limits)


def is_prepared(checkpoint: Checkpoint, ids: ModelIds, limits: RuntimeLimits) -> bool:
    """True where the CPU's tower can be opened without a first conversion and comparison."""
    if not _gains(checkpoint, limits):
        return True
    path = _path_of(checkpoint, ids)
    if not _is_written_out(checkpoint):
        return path.exists() and Verdict.kept_in(path.with_suffix(".json")) is not None
    for precision in _PRECISIONS:  # whether the CPU has bfloat16 takes OpenVINO to know
        saved = _path_in(path, precision)
        verdict = Verdict.kept_in(saved.with_suffix(".json"))
        if verdict is not None:
            is_taken = verdict.accepts(_least_cosine(precision, limits))
            if saved.exists() if is_taken else precision == "float32":
                return True
    return False


def _gains(checkpoint: Checkpoint, limits: RuntimeLimits) -> bool:
    """True where OpenVINO may be faster."""
    image = checkpoint.config.image
    is_small = image.kind is ImageEncoderKind.VIT and image.width < limits.large_vit
    return not is_small and openvino_runtime.available()


def _is_written_out(checkpoint: Checkpoint) -> bool:
    """True where the network is one that ``vit_model`` knows."""
    config = checkpoint.config
    return config.image.kind is ImageEncoderKind.VIT and not config.hubness.texts


def _path_of(checkpoint: Checkpoint, ids: ModelIds) -> Path:
    """The place of its conversion, and beside it of the verdict."""
    # Where the image id covers both poolers, a model that has learned words keeps its tower.
    is_covered = checkpoint.config.pooler.design is not PoolerDesign.PARALLEL
    tower_id = ids.image_id if is_covered else ids.model_id
    name = f"{tower_id}-{CONVERSION}-openvino-{version('openvino')}"
    return cache_folder() / "compiled" / f"{name}.xml"


def _precisions() -> Sequence[str]:
    """Those in which a ViT may be computed here, the fastest first."""
    return tuple(_PRECISIONS) if openvino_runtime.has_bfloat16() else ("float32",)


def _path_in(path: Path, precision: str) -> Path:
    return path.with_name(f"{path.stem}-{precision}.xml")


def _least_cosine(precision: str, limits: RuntimeLimits) -> float:
    return limits.min_half_cosine if precision == "bfloat16" else limits.min_cosine


def _in_torch(model: CoCa, device: str) -> TorchImageTower:
    from cocadesk.model.runtime.torch import TorchImageTower

    return TorchImageTower(model, device)


def _open_vit(
    checkpoint: Checkpoint, path: Path, limits: RuntimeLimits
) -> OpenVinoImageTower | None:
    """The whole of it in bfloat16, else in float32; None where torch is better than both."""
    reference: Trial | None = None
    for precision in _precisions():
        saved, least = _path_in(path, precision), _least_cosine(precision, limits)
        before = Verdict.kept_in(saved.with_suffix(".json"))
        verdict = before if before is not None and before.settles(least) else None
        if verdict is not None and not verdict.accepts(least):
            continue
        if verdict is None and reference is None:
            reference = _tried_in_torch(checkpoint)
        try:
            tower = OpenVinoImageTower(_saved_vit(checkpoint, saved), precision, batch=VIT_BATCH)
        except RuntimeError as error:  # OpenVINO's only exception type
            if is_out_of_memory(error):
                raise
            log.warning("OpenVINO cannot run this model in %s: %s", precision, error)
            continue
        if verdict is None:
            assert reference is not None
            found = tried(tower, checkpoint.config.image.size_px, pictures=_COMPARED)
            verdict = found.against(reference).after(before)
            log.info("OpenVINO in %s against torch: %s", precision, verdict)
            verdict.keep(saved.with_suffix(".json"))
        if verdict.accepts(least):
            return tower
        del tower
        trim_heap()
        if verdict.settles(least):
            _remove(saved)
    return None


def _remove(saved: Path) -> None:
    for file in (saved, saved.with_suffix(".bin")):
        with suppress(OSError):  # Windows removes no file that is still mapped
            file.unlink(missing_ok=True)


def _saved_vit(checkpoint: Checkpoint, path: Path) -> object:
    """The path of its model for OpenVINO, made where there is none; the model if it can't be."""
    if path.exists():
        return path
    log.info("%s is prepared for this computer, once", checkpoint.config.name)
    weights = MappedFloats(checkpoint.folder / WEIGHTS, IMAGE_PREFIXES)
    model = vit_model(checkpoint.config, weights, half=path.stem.endswith("bfloat16"))
    try:
        openvino_runtime.save(model, path)
    except OSError as error:
        # A full or read-only cache folder costs the next start some seconds, no more.
        log.warning("The compiled model could not be kept in %s: %s", path.parent, error)
        return model
    del model
    trim_heap()
    return path


def _tried_in_torch(checkpoint: Checkpoint) -> Trial:
    """The torch network is of this trial alone: it takes as much memory as the weights.

    So it has gone before another one comes.
    """
    from cocadesk.model.runtime.torch import forget_as_it_goes

    size_px = checkpoint.config.image.size_px
    model = load_model(checkpoint)
    reference = _in_torch(model, "cpu")
    forget_as_it_goes(model, checkpoint.folder / WEIGHTS)
    found = tried(reference, size_px, pictures=_COMPARED)
    del model, reference
    trim_heap()
    return found


def _in_openvino(path: Path, size_px: int, limits: RuntimeLimits) -> OpenVinoImageTower:
    """The model saved at ``path``: in bfloat16 where that agrees with float32 and is faster."""
    if not openvino_runtime.has_bfloat16():
        return OpenVinoImageTower(path)
    kept = path.with_suffix(".bfloat16")
    before = Verdict.kept_in(kept)
    least = limits.min_half_cosine
    verdict = before if before is not None and before.settles(least) else None
    if verdict is not None and not verdict.accepts(least):
        return OpenVinoImageTower(path)
    try:
        halves = openvino_runtime.halves(path, size_px)
        if halves is None:
            return OpenVinoImageTower(path)
        tower = OpenVinoImageTower(path, "bfloat16", halves=halves, batch=HALF_BATCH)
        if verdict is not None:
            return tower
        plain = OpenVinoImageTower(path)
        verdict = compare(plain, tower, size_px).after(before)
    except RuntimeError as error:  # OpenVINO's only exception type
        if is_out_of_memory(error):
            raise
        log.warning("OpenVINO cannot run this model in bfloat16: %s", error)
        return OpenVinoImageTower(path)
    log.info("bfloat16 against float32: %s", verdict)
    verdict.keep(kept)
    return tower if verdict.accepts(limits.min_half_cosine) else plain


def _convert(
    torch_tower: TorchImageTower,
    size_px: int,
    path: Path,
    limits: RuntimeLimits,
    before: Verdict | None,
) -> ImageTower:
    converted = openvino_runtime.convert(torch_tower.module, size_px)
    try:
        openvino_runtime.save(converted, path)
        tower = OpenVinoImageTower(path)
    except OSError as error:
        # A full or read-only cache folder costs the next start some seconds, no more.
        log.warning("The compiled model could not be kept in %s: %s", path.parent, error)
        tower = OpenVinoImageTower(converted)
    found = compare(torch_tower, tower, size_px).after(before)
    log.info("OpenVINO against torch: %s", found)
    found.keep(path.with_suffix(".json"))
    return tower if found.accepts(limits.min_cosine) else torch_tower


class OpenVinoImageTower:
    """The tower compiled by OpenVINO from a saved model (path) or a converted one.

    With its ``halves`` the second alone is computed in bfloat16. ``batch`` is the most
    pictures of a request.
    """

    def __init__(
        self,
        model: object,
        precision: str = "float32",
        *,
        halves: tuple[object, object] | None = None,
        batch: int = 1,
    ) -> None:
        self._compiled = openvino_runtime.CompiledImages(
            model, halves=halves, precision=_PRECISIONS[precision], batch=batch
        )
        self._mapped = model.with_suffix(".bin") if isinstance(model, Path) else None
        self.precision = precision

    def __call__(self, images_BHWC: NDArray[np.uint8]) -> Pooled:
        vector, tokens = self._computed(images_BHWC, 2)
        return vector, tokens

    def vectors(self, images_BHWC: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The first of them alone."""
        return self._computed(images_BHWC, 1)[0]

    def _computed(self, images_BHWC: NDArray[np.uint8], outputs: int) -> list[NDArray[np.float32]]:
        found = self._compiled(images_BHWC, outputs)
        if self._mapped is not None:  # now that its weights lie in another layout beside it
            forget_mapped(self._mapped)
            self._mapped = None
        return found
