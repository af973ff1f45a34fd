"""The address of a library's engine, and the token that opens it.

A running engine leaves a small file, readable by its user alone, named by the
library it serves. Clients read the address and the token from there.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import tempfile
from enum import StrEnum
from pathlib import Path

import msgspec

from cocadesk.locations import cache_folder, close_to_others, library_folder
from cocadesk.protocol.private_file import write_privately

UNIX_PATH_MAX_BYTES = 100


class Transport(StrEnum):
    UNIX = "unix"
    TCP = "tcp"


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The address of a running engine; ``port`` counts for TCP alone."""

    protocol: int
    transport: Transport
    address: str
    token: str
    pid: int
    library: str
    port: int = 0


def default_transport() -> Transport:
    """Unix sockets wherever there are any."""
    return Transport.TCP if sys.platform == "win32" else Transport.UNIX


def run_folder() -> Path:
    """The folder of the endpoint files, made with mode 0700 where missing.

    ``COCADESK_CACHE`` moves it along with all other caches, which are closed to others too.
    """
    folder = cache_folder() / "run"
    folder.mkdir(parents=True, exist_ok=True)
    close_to_others(folder.parent)
    close_to_others(folder)
    return folder


def library_name(library: Path) -> str:
    """A short name for a library's files in the run folder."""
    real = os.fsencode(os.path.realpath(library))
    return hashlib.blake2b(real, digest_size=8).hexdigest()


def lasting_name(library: Path) -> str:
    """The ``library_name`` of where the library is now, which may have been moved from there."""
    return library_name(library_folder(os.fspath(library), must_be_there=False))


def endpoint_file(library: Path) -> Path:
    """The file in which the engine of this library leaves its address."""
    return run_folder() / f"{library_name(library)}.json"


def log_file(library: Path) -> Path:
    """The log of an engine that was started in the background."""
    return run_folder() / f"{library_name(library)}.log"


def last_view_file(library: Path) -> Path:
    """The file in which a window keeps the list of this library that it showed last.

    It names media: whoever makes the library forget some removes it.
    """
    return cache_folder() / "views" / f"{library_name(library)}.view"


def pasted_folder() -> Path:
    """The folder of pictures that were pasted into a window to be searched by."""
    return cache_folder() / "pasted"


def read_endpoint(library: Path) -> Endpoint | None:
    """The address that the last engine left, or None; it may be gone since."""
    try:
        return msgspec.json.decode(endpoint_file(library).read_bytes(), type=Endpoint)
    except (OSError, msgspec.MsgspecError):
        return None


def running_libraries() -> list[Path]:
    """The libraries whose engines have left their addresses on this machine; some may be gone."""
    found = []
    for file in sorted(run_folder().glob("*.json")):
        try:
            found.append(Path(msgspec.json.decode(file.read_bytes(), type=Endpoint).library))
        except (OSError, msgspec.MsgspecError):
            continue
    return found


def write_endpoint(library: Path, endpoint: Endpoint) -> Path:
    """Publishes the address in one step, in a file of mode 0600."""
    target = endpoint_file(library)
    write_privately(target, [msgspec.json.encode(endpoint)])
    return target


def remove_endpoint(library: Path, endpoint: Endpoint) -> None:
    """Takes the address away, unless another engine has left its own since."""
    if read_endpoint(library) == endpoint:
        endpoint_file(library).unlink(missing_ok=True)
    remove_socket(endpoint)


def remove_socket(endpoint: Endpoint) -> None:
    """Removes the socket of an engine that is gone, with its own folder."""
    if endpoint.transport is not Transport.UNIX:
        return
    path = Path(endpoint.address)
    with contextlib.suppress(OSError):
        path.unlink()
    with contextlib.suppress(OSError):
        path.parent.rmdir()


def new_socket_path() -> Path:
    """A path for a Unix socket in a new folder of mode 0700.

    Socket paths may have about 100 bytes, so the folder lies in the system's
    temporary folder and not in the library.
    """
    folder = Path(tempfile.mkdtemp(prefix="cocadesk-"))
    if len(os.fsencode(folder / "engine")) > UNIX_PATH_MAX_BYTES and Path("/tmp").is_dir():
        folder.rmdir()
        folder = Path(tempfile.mkdtemp(prefix="cocadesk-", dir="/tmp"))
    return folder / "engine"
