"""The file systems that files lie on, and names as a folder's own listing spells them."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path

from cocadesk.library.paths import fold_path, folder_of, is_under
from cocadesk.library.storage import ObjectStorage, storage_of

_BY_UUID = "/dev/disk/by-uuid"
_BY_NUMBER = "device:"


def system_volume_names() -> Mapping[int, str]:
    """Name of each volume by device number, as far as the system tells (Linux's UUIDs).

    A UUID stays with a disk; a device number may be another one's tomorrow.
    """
    names: dict[int, str] = {}
    try:
        with os.scandir(_BY_UUID) as links:
            for link in links:
                status = link.stat()
                if stat.S_ISBLK(status.st_mode):
                    names[status.st_rdev] = f"uuid:{link.name}"
    except OSError:
        pass
    return names


class Volumes:
    """The volumes that are there now, each place looked at once.

    All media of one run are judged alike, also where a disk is pulled meanwhile.
    ``machine`` is the mark of this one in a library that several share: one device number is
    a disk of its own on each. ``device_of`` gives that of a path, None where nothing is there.
    """

    def __init__(
        self,
        names: Mapping[int, str] | None = None,
        *,
        machine: str = "",
        device_of: Callable[[bytes], int | None] | None = None,
    ) -> None:
        self.machine = machine
        self._names = system_volume_names() if names is None else names
        self._device_of = lru_cache(maxsize=None)(device_of or device_at)

    def named(self, device: int) -> str:
        """The name of the volume with this device number."""
        return self._names.get(device) or f"{_BY_NUMBER}{device}" + (
            f"@{self.machine}" if self.machine else ""
        )

    def is_elsewhere(self, volume: str) -> bool:
        """True for the name of a disk that another machine has given."""
        _, at, machine = volume.partition("@")
        return bool(at) and volume.startswith(_BY_NUMBER) and machine != self.machine

    def at(self, path: bytes, root: bytes, *, is_folder: bool = True) -> str | None:
        """The volume that a file at ``path`` in ``root`` would lie on; None without the root.

        A root that is a single file is there where its folder is.
        """
        top = root if is_folder else folder_of(root)
        if self._device_of(top) is None:
            return None
        place = folder_of(path)
        while is_under(place, top):
            device = self._device_of(place)
            if device is not None:
                return self.named(device)
            place = folder_of(place)
        return self.named(self._device_of(top) or 0)


def volumes_of(library_folder: Path) -> Volumes:
    """The volumes of this machine, as they are told apart in that library."""
    storage = storage_of(library_folder)
    return Volumes(machine=storage.owner()[:12] if isinstance(storage, ObjectStorage) else "")


def device_at(path: bytes) -> int | None:
    """The device that ``path`` is on now, or None where nothing is."""
    try:
        return Path(os.fsdecode(path)).stat().st_dev
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError:
        # Something is there that we may not look into: on the disk of its folder.
        folder = folder_of(path)
        return None if folder == path else device_at(folder)


class Listings:
    """Folders as they list their names; each is read once.

    Disks that take Trip and trip for one say that a file is there under either name:
    only the listing tells which one it has.
    """

    def __init__(self) -> None:
        self._names = lru_cache(maxsize=None)(_names_in)
        self._has = lru_cache(maxsize=None)(self._is_listed)

    def has(self, path: bytes) -> bool:
        """True where a folder lists this very name, or can't be looked into."""
        return self._is_listed(path)

    def _is_listed(self, path: bytes) -> bool:
        folder = folder_of(path)
        if folder == path:
            return True
        names = self._names(folder)
        if names is None:
            return self._has(folder)
        return os.path.basename(path) in names and self._has(folder)  # noqa: PTH119

    def spelled(self, path: bytes) -> bytes:
        """``path`` as its folders spell it, links resolved."""
        real = os.path.realpath(path)
        folder = folder_of(real)
        if folder == real:
            return real
        folder = self.spelled(folder) if not self.has(folder) else folder
        names = self._names(folder)
        name = os.path.basename(real)  # noqa: PTH119
        if names and name not in names:
            name = next((other for other in sorted(names) if _is_same(folder, name, other)), name)
        return os.path.join(folder, name)  # noqa: PTH118


def _is_same(folder: bytes, name: bytes, other: bytes) -> bool:
    """True where two spellings of a name are one file on a disk that knows no case."""
    if fold_path(os.fsdecode(name)) != fold_path(os.fsdecode(other)):
        return False
    at = Path(os.fsdecode(folder))
    try:
        return (at / os.fsdecode(name)).samefile(at / os.fsdecode(other))
    except OSError:
        return False


def _names_in(folder: bytes) -> frozenset[bytes] | None:
    """The names in a folder: none where it is gone, None where it can't be looked into."""
    try:
        return frozenset(os.listdir(folder))  # noqa: PTH208 - names are bytes here
    except (FileNotFoundError, NotADirectoryError):
        return frozenset()
    except OSError:
        return None
