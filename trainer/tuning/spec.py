"""A tuning run as it is ordered: ``spec.json`` of its folder, checked in one place."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cocadesk.errors import UserError

SCHEMA = 1
SPEC = "spec.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenPhoto:
    """A photo of the library with its human captions."""

    path: bytes
    captions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TuningSpec:
    """One run. ``method`` names a tuning method, ``model`` is what ``open_backend`` takes.

    ``not_human`` maps a ``.txt`` path to the SHA-256 of a machine's caption that
    CocaDesk wrote there: while it holds those bytes it is no training data.
    ``library_media`` media must be embedded again where stored vectors lose their validity.
    """

    title: str = ""
    method: str = "head"
    seed: int = 1
    model: str = "starter"
    device: str = "auto"
    folders: tuple[bytes, ...] = ()
    photos: tuple[GivenPhoto, ...] = ()
    not_human: Mapping[bytes, str] = field(default_factory=dict)
    library_media: int = 0


def load_spec(run_folder: Path) -> TuningSpec:
    """Reads ``spec.json``.

    Raises:
        UserError: it is missing, damaged, or of another schema.
    """
    try:
        raw = json.loads((run_folder / SPEC).read_text("utf-8"))
        if not isinstance(raw, dict):
            raise ValueError("it is no object")
        if raw.get("schema") != SCHEMA:
            raise ValueError(f"its schema is {raw.get('schema')!r}, not {SCHEMA}")
        return _parse(raw)
    except OSError as error:
        raise UserError(f"The teaching run {run_folder} cannot be read.", f"{error}.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"The teaching run {run_folder} cannot be used.",
            f"Its {SPEC} is damaged: {error}.",
            "Start the run again.",
        ) from error


def _parse(raw: Mapping[str, Any]) -> TuningSpec:
    return TuningSpec(
        title=str(raw.get("title", "")),
        method=str(raw.get("method", "head")),
        seed=int(raw.get("seed", 1)),
        model=str(raw.get("model", "starter")),
        device=str(raw.get("device", "auto")),
        folders=tuple(_bytes(folder) for folder in raw.get("folders", ())),
        photos=tuple(
            GivenPhoto(path=_bytes(photo["path"]), captions=tuple(map(str, photo["captions"])))
            for photo in raw.get("photos", ())
        ),
        not_human={_bytes(k): str(v).lower() for k, v in dict(raw.get("not_human", {})).items()},
        library_media=int(raw.get("library_media") or 0),
    )


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"“{text}” is no base64 ({error})") from error
