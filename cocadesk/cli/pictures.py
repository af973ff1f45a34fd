"""From paths as given on the command line to decoded pictures."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cocadesk.cli.report import Failed, shown
from cocadesk.errors import UserError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cocadesk.media import DecodedPhoto, DecodedVideo, InputSpec
    from cocadesk.model.backend import ModelInfo


@dataclass(slots=True, kw_only=True)
class Asked:
    """The files that the arguments name, absolute and in their order, and what failed so far."""

    paths: list[bytes] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)


def asked_files(arguments: Sequence[str]) -> Asked:
    """Files as named, and all photos below folders.

    A file that is named is taken whatever it is, so that it fails with its reason; in
    folders only what may be a photo counts.

    Raises:
        UserError: none of the arguments is there.
    """
    from cocadesk.media import FoundFile, scan

    asked, found = Asked(), dict[bytes, None]()
    for argument in arguments:
        path = os.path.abspath(os.fsencode(argument))  # noqa: PTH100 - bytes; links as given
        if os.path.isdir(path):  # noqa: PTH112
            for item in scan([path]):
                if isinstance(item, FoundFile):
                    found[item.path] = None
                else:
                    asked.failed.append(Failed(path=item.path, reason=item.reason))
        elif os.path.lexists(path):
            found[path] = None
        else:
            asked.failed.append(Failed(path=path, reason="There is no such file."))
    if asked.failed and not found and len(asked.failed) == len(arguments):
        first = asked.failed[0]
        raise UserError(
            f"{shown(first.path)} cannot be read.", first.reason, "Give photos or folders of them."
        )
    asked.paths = list(found)
    return asked


def input_spec(info: ModelInfo) -> InputSpec:
    """What the model's picture input is, for the decoder."""
    from cocadesk.media import InputSpec, ResizeMode

    return InputSpec(size_px=info.image_size_px, resize=ResizeMode(info.resize))


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A file's picture as the model reads it: ``input_HWC`` (S, S, 3) uint8."""

    path: bytes
    input_HWC: NDArray[np.uint8]


def decoded(
    paths: Sequence[bytes],
    spec: InputSpec,
    failed: list[Failed],
    times_s: Mapping[bytes, float] | None = None,
) -> Iterator[tuple[int, Picture]]:
    """Each readable file with its place in ``paths``, in any order; the others go to ``failed``.

    Of a video, the frame shown at its time in ``times_s``, else that of its middle moment.
    """
    from cocadesk.media import DecodeFailure, DecodeRequest, DecoderPool

    if not paths:
        return
    times_s = times_s or {}
    requests = (
        DecodeRequest(token=place, path=path, time_s=times_s.get(path))
        for place, path in enumerate(paths)
    )
    with DecoderPool(spec=spec, workers=min(2, len(paths))) as pool:
        for answer in pool.decode(requests):
            if isinstance(answer, DecodeFailure):
                failed.append(Failed(path=answer.path, reason=answer.reason))
            else:
                yield answer.token, _picture(answer)


def _picture(answer: DecodedPhoto | DecodedVideo) -> Picture:
    from cocadesk.media import DecodedVideo

    if not isinstance(answer, DecodedVideo):
        return Picture(path=answer.path, input_HWC=answer.input_HWC)
    with answer:
        frame = answer.frames_NHWC[answer.whole_count + len(answer.moments) // 2].copy()
    return Picture(path=answer.path, input_HWC=frame)
