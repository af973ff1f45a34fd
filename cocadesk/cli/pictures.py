"""From paths as given on the command line to decoded pictures."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cocadesk.cli.report import Failed, shown
from cocadesk.errors import UserError

if TYPE_CHECKING:
    from cocadesk.media import DecodedPhoto, InputSpec
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


def decoded(
    paths: Sequence[bytes], spec: InputSpec, failed: list[Failed]
) -> Iterator[tuple[int, DecodedPhoto]]:
    """Each readable file with its place in ``paths``, in any order; the others go to ``failed``."""
    from cocadesk.media import DecodedPhoto, DecodeRequest, DecoderPool

    if not paths:
        return
    requests = (DecodeRequest(token=place, path=path) for place, path in enumerate(paths))
    with DecoderPool(spec=spec, workers=min(2, len(paths))) as pool:
        for answer in pool.decode(requests):
            if isinstance(answer, DecodedPhoto):
                yield answer.token, answer
            else:
                failed.append(Failed(path=answer.path, reason=answer.reason))
