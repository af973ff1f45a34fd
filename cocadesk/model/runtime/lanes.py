"""What the lanes of a backend share: their priority, their pictures, their lack of memory."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from cocadesk.errors import UserError, tr
from cocadesk.model.runtime.heat_parts import NEUTRAL, told_apart

T = TypeVar("T")

_NICENESS = 5
"""Less than that of decoders, whose work would else wait for pictures to be embedded."""


def check_images(images_BHWC: NDArray[np.uint8], size: int) -> None:
    if images_BHWC.dtype != np.uint8 or images_BHWC.shape[1:] != (size, size, 3):
        raise ValueError(
            f"pictures must be (B, {size}, {size}, 3) uint8, "
            f"not {images_BHWC.shape} {images_BHWC.dtype}"
        )


def give_way() -> None:
    """Lower the priority of this thread, and so of those that it starts."""
    if sys.platform == "linux":  # elsewhere it would be that of the whole process
        os.nice(_NICENESS)


def apart(work: Callable[[], T]) -> T:
    """What ``work`` gives, computed on a thread of its own that ends with it.

    For work in torch beside the lane of pictures. GNU's OpenMP, which torch computes with on
    Linux, keeps the helpers of each thread that ever had some until that thread ends. Once
    they are more than processors, all of them wait asleep for their part of each product, and
    to wake one takes longer than a small product: captions by CoCa B-32 took twice as long.
    """
    with ThreadPoolExecutor(1, "apart") as thread:
        return thread.submit(work).result()


def too_little_memory(name: str) -> UserError:
    return UserError(
        tr("The memory of this computer does not suffice for the model {name}.", name=name),
        tr("Not even one picture or text could be computed."),
        tr(
            "Close other programs and try again, or use a smaller model: "
            "cocadesk model use starter."
        ),
    )


def nothing() -> None:
    """Lets work go on: called between two parts of it where nobody may end it."""


def text_told_apart(
    embed: Callable[[Sequence[str]], NDArray[np.float32]], text: str
) -> NDArray[np.float32]:
    """Vectors of a text and of everyday words, for a heat map."""
    return told_apart(embed([text, *NEUTRAL]))
