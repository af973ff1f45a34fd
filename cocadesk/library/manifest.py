"""``library.json``: the library's id, schema version and the model in use."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from cocadesk.errors import UserError
from cocadesk.library.atomic import write_atomically

MANIFEST_NAME = "library.json"
SCHEMA_VERSION = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The content of ``library.json``; ``image_id`` is None until something is indexed.

    ``model_source`` is what to open: ``starter``, ``run:ID`` (a run of this
    library, wherever it is moved to), a path or a hub's name; None means the
    starter.
    """

    id: str
    schema: int = SCHEMA_VERSION
    image_id: str | None = None
    model_id: str | None = None
    model_source: str | None = None


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of the library in ``folder``, or None where there is none.

    Raises:
        UserError: the file is unreadable, damaged, or of another version of CocaDesk.
    """
    path = folder / MANIFEST_NAME
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _damaged(path, str(error)) from error
    return _validated(path, raw)


def _validated(path: Path, raw: object) -> Manifest:
    if not isinstance(raw, dict):
        raise _damaged(path, "it does not hold a library's description")
    schema, library_id = raw.get("schema"), raw.get("id")
    if not isinstance(schema, int) or not isinstance(library_id, str) or not library_id:
        raise _damaged(path, "its id or schema version is missing")
    if schema > SCHEMA_VERSION:
        raise UserError(
            f"The library in {path.parent} was made by a newer CocaDesk.",
            f"Its schema is {schema}; this program knows up to {SCHEMA_VERSION}.",
            "Update CocaDesk, or open another library.",
        )
    if schema < 1:
        raise _damaged(path, f"schema version {schema} does not exist")
    if schema < SCHEMA_VERSION:
        raise UserError(
            f"The library in {path.parent} was made by an older CocaDesk.",
            f"Its schema is {schema}; this program needs {SCHEMA_VERSION}.",
            "Index your folders into a new library.",
        )
    texts = {name: raw.get(name) for name in ("image_id", "model_id", "model_source")}
    if any(value is not None and not isinstance(value, str) for value in texts.values()):
        raise _damaged(path, "the name of its model is not text")
    return Manifest(id=library_id, schema=schema, **texts)


def _damaged(path: Path, reason: str) -> UserError:
    return UserError(
        f"The library's file {path} can't be read.",
        f"The reason: {reason}.",
        "Put back the file from a backup, or start a new library.",
    )


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Replace ``library.json`` at once: a crash leaves the old or the new one, never half."""
    data = json.dumps(asdict(manifest), indent=1).encode() + b"\n"
    write_atomically(folder / MANIFEST_NAME, data, durable=True)
