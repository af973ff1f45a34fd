"""OpenVINO's door: torch modules on pictures, compiled for this CPU.

Depthwise convolutions are torch's slow part on a CPU; OpenVINO runs the same
EfficientNet-Lite trunk several times faster.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

threads_of_process = 0
"""The threads that a compiled model of this process computes on; 0: as OpenVINO finds best."""


def _openvino() -> Any:
    """The package, with its telemetry off.

    OpenVINO reports every conversion to its maker through the package
    openvino-telemetry, from a forked process. Where that cannot be imported it
    takes a stub of its own that sends nothing; None in its place does that.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


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

    openvino = _openvino()
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    example = torch.zeros(2, size_px, size_px, 3, dtype=torch.uint8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # tracing notes of sizes that are fixed here
        traced = TorchScriptPythonDecoder(
            module.eval(), example_input=example, trace_kwargs={"check_trace": False}
        )
        return openvino.convert_model(traced, input=[-1, size_px, size_px, 3])


def save(model: Any, path: Path) -> None:
    """Writes ``path`` (.xml) and its .bin in float32, each whole or not at all."""
    openvino = _openvino()
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.stem}.new.xml")
    openvino.save_model(model, str(fresh), compress_to_fp16=False)
    fresh.with_suffix(".bin").replace(path.with_suffix(".bin"))
    fresh.replace(path)


class CompiledImages:
    """A compiled model on pictures, several at once. For one thread at a time.

    Give a converted model or the path of a saved one. It computes in float32: bfloat16
    is about twice as fast where the CPU has AMX, but agrees with torch only to a cosine
    of about .999.
    """

    def __init__(self, model: Any, *, threads: int = 0) -> None:
        openvino = _openvino()
        core = openvino.Core()
        settings: dict[str, Any] = {
            "PERFORMANCE_HINT": "THROUGHPUT",
            "INFERENCE_PRECISION_HINT": "f32",
        }
        if threads := threads or threads_of_process:
            settings["INFERENCE_NUM_THREADS"] = threads
        source = str(model) if isinstance(model, Path) else model
        self._compiled = core.compile_model(source, "CPU", settings)
        # One more than run at once, so that none idles while results are taken.
        parallel = 1 + int(self._compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
        self._requests = [self._compiled.create_infer_request() for _ in range(parallel)]

    def __call__(self, images_BHWC: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
        """All outputs, each (B, …) float32.

        Requests are waited for one by one. AsyncInferQueue would call back on
        OpenVINO's own threads; beside torch, those ended some processes at their
        exit ("terminate called without an active exception").
        """
        images_BHWC = np.ascontiguousarray(images_BHWC)
        numbers, parallel = range(len(self._compiled.outputs)), len(self._requests)
        found: list[list[NDArray[np.float32]]] = []
        for place in range(len(images_BHWC) + parallel):
            request = self._requests[place % parallel]
            if place >= parallel:  # it still has the picture of one round ago
                request.wait()
                found.append([np.array(request.get_output_tensor(n).data) for n in numbers])
            if place < len(images_BHWC):
                request.start_async([images_BHWC[place : place + 1]])
        return [np.concatenate(parts) for parts in zip(*found, strict=True)]
