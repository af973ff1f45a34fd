"""OpenVINO's door: torch modules on pictures, compiled for this CPU.

Depthwise convolutions are torch's slow part on a CPU; OpenVINO runs the same
EfficientNet-Lite trunk several times faster.
"""

from __future__ import annotations

import itertools
import sys
import warnings
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import nn

threads_of_process = 0
"""The threads that a compiled model of this process computes on; 0: as OpenVINO finds best."""


def openvino() -> Any:
    """The package, with its telemetry off.

    OpenVINO reports every conversion to its maker through the package
    openvino-telemetry, from a forked process. Where that cannot be imported it
    takes a stub of its own that sends nothing; None in its place does that.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino as package

    return package


def available() -> bool:
    """True where the openvino package is installed."""
    from importlib.util import find_spec

    return find_spec("openvino") is not None


def convert(module: nn.Module, size_px: int) -> Any:
    """An OpenVINO model of a module that takes (B, S, S, 3) uint8, B free.

    Torch's own check of the trace is left out: it takes longer than all else, and whoever
    converts compares what the compiled model gives.
    """
    import torch

    package = openvino()
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    example = torch.zeros(2, size_px, size_px, 3, dtype=torch.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing notes of sizes that are fixed here
        traced = TorchScriptPythonDecoder(
            module.eval(), example_input=example, trace_kwargs={"check_trace": False}
        )
        return package.convert_model(traced, input=[-1, size_px, size_px, 3])


def save(model: Any, path: Path) -> None:
    """Writes ``path`` (.xml) and its .bin as the model is, each whole or not at all."""
    package = openvino()
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.stem}.new.xml")
    package.save_model(model, str(fresh), compress_to_fp16=False)
    fresh.with_suffix(".bin").replace(path.with_suffix(".bin"))
    fresh.replace(path)


def has_bfloat16() -> bool:
    """True where this CPU multiplies in bfloat16 (AMX, AVX512-BF16)."""
    capabilities = openvino().Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    return "BF16" in capabilities


def halves(path: Path, size_px: int) -> tuple[Any, Any] | None:
    """A saved model in two: up to its maps of a quarter of the picture's side, and from there.

    In bfloat16 the first layers cost most of the agreement (cosines down to .993), all behind
    them little (.9995): one value there is seen by few others. None where a model, such as a
    ViT, has no such maps.
    """
    package = openvino()
    whole, behind = (package.Core().read_model(str(path)) for _ in range(2))
    place = _narrowest_map(whole, -(-size_px // 4))
    if place is None:
        return None
    cut = whole.get_ordered_ops()[place].output(0)
    first = package.Model([package.opset13.result(cut)], whole.get_parameters(), "first")
    cut = behind.get_ordered_ops()[place].output(0)
    opened = package.opset13.parameter(cut.get_partial_shape(), cut.get_element_type())
    for target in cut.get_target_inputs():
        target.replace_source_output(opened.output(0))
    return first, package.Model(behind.get_results(), [opened], "rest")


def _narrowest_map(model: Any, side: int) -> int | None:
    """The place of the smallest map of about this side by which all goes on; the last of equals."""
    operations = model.get_ordered_ops()
    places = {one.get_friendly_name(): place for place, one in enumerate(operations)}
    is_of_picture = [False] * len(operations)
    farthest, found, fewest = 0, None, 0
    for place, one in enumerate(operations):
        sources = [
            places[i.get_source_output().get_node().get_friendly_name()] for i in one.inputs()
        ]
        is_of_picture[place] = one.get_type_name() == "Parameter" or (
            one.get_type_name() != "ShapeOf" and any(is_of_picture[source] for source in sources)
        )
        if is_of_picture[place] and one.outputs():
            values = _values_of_map(one.output(0).get_partial_shape(), side)
            if farthest <= place and values and (found is None or values <= fewest):
                found, fewest = place, values
            targets = (target for output in one.outputs() for target in output.get_target_inputs())
            goes_to = [places[target.get_node().get_friendly_name()] for target in targets]
            farthest = max([farthest, *goes_to])
    return found


def _values_of_map(shape: Any, side: int) -> int:
    """The number of values of a (B, C, H, W) map of about this side, 0 of anything else."""
    if len(shape) != 4 or any(one.is_dynamic for one in list(shape)[1:]):
        return 0
    channels, height, width = (one.get_length() for one in list(shape)[1:])
    is_of_side = side <= min(height, width) and max(height, width) < 2 * side
    return channels * height * width if is_of_side else 0


class CompiledImages:
    """A compiled model on pictures, several at once. For one thread at a time.

    Give a converted model or the path of a saved one. It computes in ``precision``, at most
    ``batch`` pictures a request; or, of its ``halves``, the first in float32, picture by picture,
    and all behind it in bfloat16, ``batch`` pictures a request, which takes some two thirds of
    the time where the CPU has AMX.
    """

    def __init__(
        self,
        model: Any,
        *,
        threads: int = 0,
        halves: tuple[Any, Any] | None = None,
        precision: str = "f32",
        batch: int = 1,
    ) -> None:
        core = openvino().Core()
        source = str(model) if isinstance(model, Path) else model
        parts = [(source, precision)]
        if halves is not None:
            parts = list(zip(halves, ("f32", "bf16"), strict=True))
        self._batch = batch
        self._parts = []
        for part, wanted in parts:
            settings: dict[str, Any] = {
                "PERFORMANCE_HINT": "THROUGHPUT",
                "INFERENCE_PRECISION_HINT": wanted,
            }
            if count := threads or threads_of_process:
                settings["INFERENCE_NUM_THREADS"] = count
            self._parts.append(_Part(core.compile_model(part, "CPU", settings)))

    def __call__(
        self, images_BHWC: NDArray[np.uint8], outputs: int | None = None
    ) -> list[NDArray[np.float32]]:
        """The first so many outputs, or all, each (B, …) float32."""
        images_BHWC = np.ascontiguousarray(images_BHWC)
        *before, last = self._parts
        # Few pictures are shared out among the requests that run at once.
        size = max(1, min(self._batch, -(-len(images_BHWC) // last.at_once)))
        first = 1 if before else size
        starts = range(0, len(images_BHWC), first)
        given: Iterator[NDArray[Any]] = (images_BHWC[at : at + first] for at in starts)
        for part in before:
            given = _joined((own for (own,) in part.outputs(given, 1)), size)
        found = list(last.outputs(given, outputs or last.count))
        return [np.concatenate(own) for own in zip(*found, strict=True)]


class _Part:
    """A compiled model and its requests, of which one more than run at once is under way.

    So none idles while results are taken. Requests are waited for one by one: AsyncInferQueue
    would call back on OpenVINO's own threads; beside torch, those ended some processes at their
    exit ("terminate called without an active exception").
    """

    def __init__(self, compiled: Any) -> None:
        self.at_once = int(compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
        self.count = len(compiled.outputs)
        self._requests = [compiled.create_infer_request() for _ in range(self.at_once + 1)]

    def outputs(
        self, given: Iterator[NDArray[Any]], count: int
    ) -> Iterator[list[NDArray[np.float32]]]:
        """The first so many outputs that it gives for each piece, in their order."""
        free = deque(self._requests)
        waiting = deque[tuple[Any, NDArray[Any]]]()
        for piece in given:
            if not free:
                yield self._taken(waiting, free, count)
            request = free.popleft()
            # It reads the piece itself, which stays until it is done.
            request.start_async([piece], share_inputs=True)
            waiting.append((request, piece))
        while waiting:
            yield self._taken(waiting, free, count)

    def _taken(
        self, waiting: deque[tuple[Any, NDArray[Any]]], free: deque[Any], count: int
    ) -> list[NDArray[np.float32]]:
        """Copies of what the oldest request gives; its own memory is used again."""
        request, _ = waiting[0]
        request.wait()
        waiting.popleft()
        free.append(request)
        return [np.array(request.get_output_tensor(n).data) for n in range(count)]


def _joined(pieces: Iterator[NDArray[Any]], size: int) -> Iterator[NDArray[Any]]:
    """Single pictures as batches of ``size``."""
    while some := list(itertools.islice(pieces, size)):
        yield np.concatenate(some)
