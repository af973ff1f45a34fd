"""``library.json``: the library's id, schema version and the model in use."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from cocadesk.errors import UserError
from cocadesk.library.schema import SCHEMA_VERSION

MANIFEST_NAME = "library.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The content of ``library.json``; ``image_id`` is None until something is indexed."""

    id: str
    schema: int = SCHEMA_VERSION
    image_id: str | None = None
    model_id: str | None = None


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of the library in ``folder``, or None where there is none.

    Raises:
        UserError: the file is unreadable, damaged, or of a newer CocaDesk.
    """
    path = folder / MANIFEST_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise _damaged(path, str(error)) from error
    try:
        raw = json.loads(text)
    except ValueError as error:
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
    texts = {name: raw.get(name) for name in ("image_id", "model_id")}
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


def write_atomically(path: Path, data: bytes, *, durable: bool) -> None:
    """Write beside and rename over; ``durable`` also waits for the disk.

    Raises:
        UserError: the disk is full or refuses.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        temporary.replace(path)
        if durable:
            _sync_folder(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise UserError(
            f"The library can't write {path}.",
            f"The reason: {error.strerror or error}.",
            "Free some space or check the folder's permissions, then try again.",
        ) from error


def _sync_folder(folder: Path) -> None:
    """Make a rename durable; Windows can't open a folder and does not need it."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
