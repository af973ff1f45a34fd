"""A device that is not the CPU, on a machine that has none: "meta" with numbers in it.

Its tensors claim to lie on torch's "meta" device and compute on the CPU behind it. An
operation that meets a tensor of that device and one that stayed on the CPU fails, as it
would on a GPU, and so does a matrix product or attention on the CPU alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from trainer.device import TrainDevice

FAKE = TrainDevice(device=torch.device("meta"), reason="a device for tests")
_COPIES = ("aten._to_copy", "aten.to.", "aten.copy_", "aten.index", "aten.index_put", "aten.item")
_HEAVY = ("aten.mm", "aten.bmm", "aten.addmm", "aten.matmul", "aten._scaled_dot_product")


class FakeTensor(torch.Tensor):
    """A tensor that says it lies elsewhere; ``inner`` holds its numbers."""

    inner: torch.Tensor

    @staticmethod
    def __new__(cls, real: torch.Tensor) -> FakeTensor:
        fake: FakeTensor = torch.Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]
            cls, real.shape, strides=real.stride(), dtype=real.dtype, device="meta"
        )
        fake.inner = real
        return fake

    def __repr__(self, **_: object) -> str:
        return f"FakeTensor({self.inner!r})"

    def tolist(self) -> Any:
        """The numbers; torch refuses them for subclasses."""
        return self.inner.tolist()

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(func, args, kwargs or {})


class _FakeMode(TorchDispatchMode):
    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _run(func, args, kwargs or {})


def _run(func: Any, args: Any, kwargs: dict[str, Any]) -> Any:
    tensors: list[torch.Tensor] = []

    def collect(tensor: torch.Tensor) -> torch.Tensor:
        tensors.append(tensor)
        return tensor

    _each((args, kwargs), collect)
    here = [t for t in tensors if not isinstance(t, FakeTensor)]
    asked = kwargs.get("device")
    target = torch.device(asked).type if asked is not None else None
    is_fake = len(here) < len(tensors) if target is None else target == "meta"
    name = str(func)
    assert not any(t.is_meta for t in here), f"{name}: an index was made without numbers"
    if is_fake and not name.startswith(_COPIES):
        stayed = [t for t in here if t.dim() > 0]
        assert not stayed, f"{name}: a tensor {tuple(stayed[0].shape)} stayed on the CPU"
    assert is_fake or not name.startswith(_HEAVY), f"{name} ran on the CPU"
    if target == "meta":
        kwargs = kwargs | {"device": torch.device("cpu")}
    plain = _each((args, kwargs), _real)
    # A wrapper that is made in inference mode cannot be viewed.
    with torch.inference_mode(mode=False), torch.no_grad():
        result = func(*plain[0], **plain[1])
        if name.endswith("_.default") or name.startswith("aten.copy_"):
            return args[0]  # in place
        return _each(result, _fake) if is_fake else result


def _each(value: Any, change: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    """The value with every tensor in it changed."""
    if isinstance(value, torch.Tensor):
        return change(value)
    if isinstance(value, (list, tuple)):
        return type(value)(_each(part, change) for part in value)
    if isinstance(value, dict):
        return {name: _each(part, change) for name, part in value.items()}
    return value


def _real(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.inner if isinstance(tensor, FakeTensor) else tensor


def _fake(tensor: torch.Tensor) -> torch.Tensor:
    return tensor if isinstance(tensor, FakeTensor) else FakeTensor(tensor)


@contextmanager
def fake_device() -> Iterator[TrainDevice]:
    """The device, for the time of the block."""
    with _FakeMode():
        yield FAKE
