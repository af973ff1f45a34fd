"""open_clip itself: imported here alone, and only for models that are no CoCa."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cocadesk.errors import UserError, tr
from cocadesk.model.checkpoints.weight_files import first_line, read_state_dict
from cocadesk.model.lack_of_memory import is_out_of_memory
from cocadesk.model.tokenizers.foreign import Tokenize, foreign_tokenizer
from cocadesk.model.torch_loading import load_torch
from cocadesk.picture_input import InputSpec, Resize, Scaling

if TYPE_CHECKING:
    import torch

    from cocadesk.model.checkpoints.open_clip_towers import SearchTowers

log = logging.getLogger(__name__)
_RESIZES = {
    "shortest": Resize.CENTER_CROP,
    "longest": Resize.LONGEST,
    "squash": Resize.SQUASH,
}
_SCALINGS = {"bilinear": Scaling.BILINEAR, "bicubic": Scaling.BICUBIC, "random": Scaling.BICUBIC}
_declared: list[torch.library.Library] = []


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTowers:
    """A network (open_clip's class) on the CPU, with what it takes: texts, pictures.

    ``mean`` and ``std`` are those of channels from 0 to 1.
    """

    network: Any
    tokenize: Tokenize
    input_spec: InputSpec
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


def import_open_clip() -> Any:
    """The package, also beside a build of torch that torchvision's compiled part does not fit.

    A torchvision for CUDA stops, beside a torch for the CPU, at two operators that nobody here
    calls (FACTS: "operator torchvision::nms does not exist"). Declaring them is enough; it can
    go once torch and torchvision come for the same device everywhere.

    Raises:
        UserError: it is not installed, or does not fit what else is.
    """
    load_torch()
    try:
        _import_torchvision()
        import open_clip  # type: ignore[import-untyped]
    except (ImportError, RuntimeError, OSError) as error:
        if is_out_of_memory(error):
            raise
        raise UserError(
            tr("This model needs open_clip, which cannot be loaded here."),
            f"{first_line(error)}.",
            tr(
                "Install it anew with what fits your torch: pip install -U open_clip_torch "
                "torchvision. CoCa models and the starter do without."
            ),
        ) from error
    return open_clip


def _import_torchvision() -> None:
    import torch

    try:
        import torchvision  # type: ignore[import-untyped]  # noqa: F401
    except RuntimeError:
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        if not _declared:
            library = torch.library.Library("torchvision", "DEF")  # type: ignore[no-untyped-call]
            _declared.append(library)
            for name in ("nms", "qnms"):
                kind = f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
                library.define(kind)  # type: ignore[no-untyped-call]


def open_towers(towers: SearchTowers) -> OpenTowers:
    """Builds the network by open_clip and loads its weights.

    Raises:
        UserError: open_clip or the tokenizer is missing, or the weights are damaged or others.
        MemoryError | RuntimeError: there is no memory for it.
    """
    load_torch()
    import torch

    state = read_state_dict(towers.weights)  # damaged and hostile files end here
    for name, weight in state.items():
        if weight.is_floating_point() and not bool(torch.isfinite(weight).all()):
            raise UserError(
                tr("{weights} cannot be used.", weights=towers.weights),
                tr(
                    "Its weight “{name}” is not a number (NaN or infinite): its training diverged.",
                    name=name,
                ),
                tr("Use a checkpoint from before that."),
            )
    del state
    package = import_open_clip()
    tokenize = foreign_tokenizer(package, towers)
    log.info("Opening %s with open_clip %s", towers.name, package.__version__)
    network = _built(package, towers)
    try:
        package.load_checkpoint(network, str(towers.weights))
    except (RuntimeError, KeyError, ValueError, AttributeError, AssertionError) as error:
        if is_out_of_memory(error):
            raise
        raise UserError(
            tr(
                "{weights} does not fit the model {towers}.",
                weights=towers.weights,
                towers=towers.name,
            ),
            f"{_without_lists(error)}.",
            tr("Name the model that these weights were trained for, or fetch them again."),
        ) from error
    given = dict(towers.preprocessing)
    if towers.released is not None:
        given |= package.get_pretrained_cfg(*towers.released)
    return OpenTowers(
        network=network.eval().requires_grad_(False),
        tokenize=tokenize,
        input_spec=_input_spec(given, network.visual.image_size, towers.name),
        mean=_three(given.get("mean"), package.OPENAI_DATASET_MEAN),
        std=_three(given.get("std"), package.OPENAI_DATASET_STD),
    )


def _built(package: Any, towers: SearchTowers) -> Any:
    settings = {**towers.settings}
    vision, text = {**settings["vision_cfg"]}, {**settings["text_cfg"]}
    if "timm_model_name" in vision:
        vision["timm_model_pretrained"] = False
    if "hf_model_name" in text:
        text["hf_model_pretrained"] = False
    is_custom = settings.pop("custom_text", False) or "hf_model_name" in text
    kind = package.CustomTextCLIP if is_custom else package.CLIP
    try:
        return kind(**settings | {"vision_cfg": vision, "text_cfg": text})
    except (TypeError, ValueError, RuntimeError, AttributeError, OSError, AssertionError) as error:
        if is_out_of_memory(error):
            raise
        command = tr("Its text tower needs transformers: pip install transformers sentencepiece.")
        is_hf = "hf_model_name" in text
        raise UserError(
            tr("The model {towers} cannot be built.", towers=towers.name),
            tr(
                "open_clip {version} says: {first_line}.",
                version=package.__version__,
                first_line=first_line(error),
            ),
            command if is_hf else tr("Look whether its settings are of this version of open_clip."),
        ) from error


def _input_spec(given: Mapping[str, Any], size: int | Sequence[int], name: str) -> InputSpec:
    height, width = (size, size) if isinstance(size, int) else (int(side) for side in size)
    mode, scaling = given.get("resize_mode") or "shortest", given.get("interpolation") or "bicubic"
    if height != width or mode not in _RESIZES or scaling not in _SCALINGS:
        raise UserError(
            tr("The model {name} cannot be used.", name=name),
            tr(
                "It takes pictures of {width} × {height} px, resized by “{mode}” and “{scaling}”.",
                width=width,
                height=height,
                mode=mode,
                scaling=scaling,
            ),
            tr("Choose a model that takes squares."),
        )
    fill = given.get("fill_color") or 0
    return InputSpec(
        size_px=height, resize=_RESIZES[mode], scaling=_SCALINGS[scaling], fill=int(fill)
    )


def _three(values: Any, usual: Sequence[float]) -> tuple[float, float, float]:
    given = usual if values is None else values
    red, green, blue = (given,) * 3 if isinstance(given, float | int) else given
    return float(red), float(green), float(blue)


def _without_lists(error: Exception) -> str:
    """What torch says of weights that do not fit, without the names of all of them."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return " ".join(lines[:2])[:300].rstrip(".:") if lines else type(error).__name__
