"""Weights that others wrote: read without running anything, mapped rather than copied."""

from __future__ import annotations

import json
import logging
import math
import os
import pickle
import re
import struct
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cocadesk.errors import UserError, tr
from cocadesk.model.lack_of_memory import is_out_of_memory
from cocadesk.model.torch_loading import load_torch

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    State = dict[str, torch.Tensor]

log = logging.getLogger(__name__)
SAFE_SUFFIX = ".safetensors"
#: Follows an int8 table's name in the name of its rows' scales.
SCALE = ".scale"
PICKLE_SUFFIXES = (".pt", ".pth", ".bin", ".ckpt")
#: What training on several devices and torch.compile put into names, once or more often.
_WRAPPERS = ("module", "_orig_mod")
#: Where training checkpoints keep the weights, beside the optimiser's state and more.
_INSIDE = ("state_dict", "model_state_dict", "model", "module")
#: By it the prefix is known that other programs put before all names (Lightning's "model.").
_FIRST_WEIGHT = "visual.conv1.weight"
_LFS, _PAGES = b"version https://git-lfs", (b"<!doctype", b"<html", b"<?xml", b"<head")
#: Masks that early releases kept; they are made anew from the config.
_MASKS = ("text.attn_mask", "text_decoder.attn_mask")


def read_state_dict(path: Path) -> State:
    """The tensors of a .safetensors file, or of a .pt or .bin file.

    The tensors are views of the file where it can be mapped: reading one costs
    memory only once it is used. A pickle is read with ``weights_only``: of a
    file that wants to run code, none runs.

    Raises:
        UserError: the file is damaged, cut short, hostile or no state dict.
    """
    state: State = read_safetensors(path) if path.suffix == SAFE_SUFFIX else _read_pickle(path)
    plain = _without_prefix(_without_wrappers(state, path), path)
    return {name: tensor for name, tensor in plain.items() if name not in _MASKS}


def check_is_weights(path: Path) -> None:
    """Looks whether a file of weights holds what is often fetched in its place.

    Raises:
        UserError: it is a pointer of git-LFS, a web page or empty.
    """
    try:
        with path.open("rb") as file:
            start = file.read(256).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    except OSError:
        return  # who reads it says why it cannot be read
    if start.startswith(_LFS):
        raise UserError(
            tr("{path} holds no weights.", path=path),
            tr(
                "It is a pointer of git-LFS: git has fetched the name of the weights, not "
                "themselves."
            ),
            tr("Run git lfs pull in its folder, or fetch the file from its page."),
        )
    if start.startswith(_PAGES):
        raise UserError(
            tr("{path} holds no weights.", path=path),
            tr(
                "It is a web page: the page about the file was fetched, or one that asks to log in."
            ),
            tr("Fetch the file itself; its page has a link for that."),
        )
    if not start:
        raise damaged(path, tr("it is cut short: it is empty"))


def check_numbers(weights: Mapping[str, Any], path: Path) -> None:
    """Looks at the vectors among the weights, which cost little to read.

    Of a network that has diverged all weights are NaN; the large ones stay in the file.

    Raises:
        UserError: one is not a number, or an int8 table has no scales.
    """
    _check_scales(weights, path)
    for name, weight in weights.items():
        if len(weight.shape) == 1 and bool((weight != weight).any()):
            raise UserError(
                tr("The model {parent} cannot be used.", parent=path.parent),
                tr("Its weight “{name}” is not a number (NaN): its training diverged.", name=name),
                tr("Use a checkpoint from before that, or train it again."),
            )


def _check_scales(weights: Mapping[str, Any], path: Path) -> None:
    for name, table in weights.items():
        if str(table.dtype).removeprefix("torch.") != "int8":
            continue
        scale = weights.get(name + SCALE)
        if (
            scale is None
            or len(table.shape) != 2
            or tuple(scale.shape) != (table.shape[0],)
            or not str(scale.dtype).endswith("float32")
            or not bool((abs(scale) < math.inf).all())
        ):
            raise damaged(
                path, tr("“{name}” in it has no scale for each row, or a wrong one", name=name)
            )


def _without_wrappers(state: State, path: Path) -> State:
    plain: State = {}
    for name, tensor in state.items():
        short = ".".join(part for part in name.split(".") if part not in _WRAPPERS)
        if short in plain:
            raise damaged(path, tr("it holds “{name}” twice", name=short))
        plain[short] = tensor
    return plain


def _without_prefix(state: State, path: Path) -> State:
    """The weights of the one network in it, without what stands before all their names."""
    if _FIRST_WEIGHT in state:
        return state
    suffix = f".{_FIRST_WEIGHT}"
    prefixes = [name.removesuffix(_FIRST_WEIGHT) for name in state if name.endswith(suffix)]
    if len(prefixes) > 1:
        raise UserError(
            tr("{path} holds {prefixes} models.", path=path, prefixes=len(prefixes)),
            tr("They are called {names}.", names=", ".join(p.rstrip(".") for p in prefixes)),
            tr("Save the one that you want as a state dict of its own."),
        )
    start = "".join(prefixes)
    return {name.removeprefix(start): w for name, w in state.items() if name.startswith(start)}


def read_safetensors(path: Path, framework: str = "pt", wanted: tuple[str, ...] = ("",)) -> Any:
    """The weights whose names start so; torch's are views of the mapped file, numpy's copies.

    Raises:
        UserError: the file is truncated or no safetensors file.
    """
    from safetensors import SafetensorError, safe_open

    if framework == "pt":
        load_torch()
    check_is_weights(path)
    try:
        with safe_open(path, framework=framework) as file:
            names = [name for name in file.keys() if name.startswith(wanted)]  # noqa: SIM118
            return {name: file.get_tensor(name) for name in names}
    except (SafetensorError, OSError, ValueError) as error:
        if is_out_of_memory(error):
            raise MemoryError(first_line(error)) from error
        raise _unread(path, error, tr("it is cut short or no safetensors file")) from error


def _read_pickle(path: Path) -> State:
    load_torch()
    try:
        return _tensors(_load(path), path)
    except pickle.UnpicklingError as error:
        raise UserError(
            tr("{path} is not opened.", path=path),
            tr(
                "Besides weights it holds objects that could run a program{named_object}, "
                "or it is no file of weights at all.",
                named_object=_named_object(error),
            ),
            tr("Use a .safetensors file of the same model."),
        ) from error
    except (RuntimeError, OSError, EOFError, ValueError, KeyError, AttributeError) as error:
        if is_out_of_memory(error):
            raise
        raise _unread(path, error, tr("it is no whole PyTorch file")) from error


def _load(path: Path) -> Any:
    import torch
    from torch.serialization import _is_zipfile

    check_is_weights(path)
    with path.open("rb") as file:
        can_be_mapped = _is_zipfile(file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of odd pickles it says so before it refuses them
        return torch.load(path, map_location="cpu", weights_only=True, mmap=can_be_mapped)


def _tensors(loaded: Any, path: Path) -> State:
    """The state dict itself: training checkpoints keep it beside the optimiser's state."""
    import torch

    while isinstance(loaded, Mapping):
        inside = next((loaded[n] for n in _INSIDE if isinstance(loaded.get(n), Mapping)), None)
        if inside is None:
            break
        loaded = inside
    if not isinstance(loaded, Mapping) or not loaded:
        raise damaged(path, tr("it holds {kind}, not weights by name", kind=type(loaded).__name__))
    state: State = {}
    for name, tensor in loaded.items():
        if not isinstance(name, str) or not isinstance(tensor, torch.Tensor):
            raise damaged(
                path,
                tr("“{name}” in it is {kind}, not a weight", name=name, kind=type(tensor).__name__),
            )
        state[name] = tensor
    return state


def _unread(path: Path, error: Exception, why: str) -> UserError:
    """The sentence for a file that a reader refused; what it said of it goes into the log.

    A file that the system does not give is not damaged.
    """
    if isinstance(error, OSError) and error.errno is not None:
        return UserError(
            tr("The weights {path} cannot be read.", path=path),
            tr("The system says: {error}.", error=error.strerror or first_line(error)),
            tr("Look whether the file is there and may be read, and whether its disk is well."),
        )
    log.info("%s: %s", path, error)
    return damaged(path, why)


def damaged(path: Path, why: str) -> UserError:
    """The sentence for a file whose weights cannot be read; ``why`` in the person's language."""
    return UserError(
        tr("The weights {path} cannot be read.", path=path),
        tr("The file is damaged: {why}.", why=why),
        tr("Fetch or train the model again."),
    )


def _named_object(error: pickle.UnpicklingError) -> str:
    """The object that torch refused, in brackets; its advice to load it all the same is left out.

    torch 2.13 names it as ``GLOBAL posix.system was not an allowed global``.
    """
    named = re.search(r"GLOBAL ([\w.]+)", str(error))
    return f" ({named[1]})" if named else ""


def first_line(error: Exception) -> str:
    """The first line of an error's text, to stand inside a sentence; else the error's type."""
    lines = str(error).strip().splitlines()
    return lines[0][:200].rstrip(".:") if lines else type(error).__name__


def write_safetensors(path: Path, weights: Mapping[str, NDArray[Any]]) -> None:
    """Writes arrays as safetensors, one after the other, and syncs the file to disk.

    Unlike the safetensors package it never holds the whole file in memory, which
    for a large model is as much again as the model.
    """
    with path.open("wb") as file:
        for block in _blocks(weights):
            file.write(block)
        file.flush()
        os.fsync(file.fileno())


def map_safetensors(path: Path, prefixes: tuple[str, ...] = ("",)) -> dict[str, NDArray[Any]]:
    """The weights whose names start so, as read-only views of the mapped file, without torch.

    The file's pages are read when they are used and shared between processes: only what
    is used takes memory.

    Raises:
        UserError: the file is truncated or no safetensors file, or its weights are NaN.
    """
    import numpy as np

    header = read_header(path)
    whole = np.memmap(path, np.uint8, "r")
    length = int.from_bytes(whole[:8].tobytes(), "little")
    dtypes = {short: name for name, short in _NAMES.items()}
    arrays = {}
    for name, entry in header.items():
        if name.startswith(prefixes) and entry["dtype"] in dtypes:
            start, end = (8 + length + offset for offset in entry["data_offsets"])
            dtype = np.dtype(dtypes[entry["dtype"]])
            array = np.frombuffer(whole[start:end], dtype).reshape(entry["shape"])
            arrays[name] = array
    check_numbers(arrays, path)
    return arrays


def read_header(path: Path) -> dict[str, Any]:
    """Type, shape and place of each weight in a safetensors file, as its header says.

    Raises:
        UserError: the file is truncated or no safetensors file.
    """
    read_safetensors(path, "numpy", ("no weight has this name",))  # its header is checked
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header: dict[str, Any] = json.loads(file.read(length))
    return {name: entry for name, entry in header.items() if name != "__metadata__"}


_NAMES = {
    **{"float32": "F32", "float16": "F16"},
    **{"int64": "I64", "int32": "I32", "int8": "I8", "uint8": "U8"},
}


def _blocks(weights: Mapping[str, NDArray[Any]]) -> Iterator[bytes | memoryview]:
    """Length of the header, header, then every array's bytes in the header's order."""
    import numpy as np

    header: dict[str, object] = {}
    end = 0
    for name in sorted(weights):
        array = weights[name]
        start, end = end, end + array.nbytes
        header[name] = {
            "dtype": _NAMES[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [start, end],
        }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    yield struct.pack("<Q", len(text)) + text
    for name in sorted(weights):
        yield np.ascontiguousarray(weights[name]).reshape(-1).view(np.uint8).data
