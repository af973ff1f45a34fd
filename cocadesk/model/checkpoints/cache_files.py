"""Files of the hub's cache as they come: partial, linked into snapshots, room looked for first."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TypeAlias

from cocadesk.errors import UserError, decimal, tr
from cocadesk.locations import cache_folder
from cocadesk.model.checkpoints import hub
from cocadesk.model.checkpoints.checkpoint import CONFIG, TAGGING, TOKENIZER, WEIGHTS
from cocadesk.model.checkpoints.fetched_files import note_blob, note_links
from cocadesk.model.checkpoints.hub import Repository
from cocadesk.model.checkpoints.open_clip_config import SETTINGS
from cocadesk.model.offers import bytes_to_prepare

Report: TypeAlias = Callable[[int, int], None]
"""Gets the bytes that are here and those that there will be."""
DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


class CountedFile:
    """A partial file that is added to, and tells its size at each write."""

    def __init__(self, path: Path, tell: Callable[[int], None]) -> None:
        self._file = path.open("ab", buffering=0)
        self._tell = tell
        self.size = path.stat().st_size
        tell(self.size)

    def __enter__(self) -> CountedFile:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def empty(self) -> None:
        """Begins anew: what is here is no part of the file."""
        self._file.truncate(0)
        self.size = 0

    def write(self, data: bytes) -> int:
        """Adds all of ``data``: a disk that fills up takes a part of it first."""
        rest = memoryview(data)
        while rest:
            written = self._file.write(rest) or 0
            self.size += written
            rest = rest[written:]
        self._tell(self.size)
        return len(data)

    def tell(self) -> int:
        """The place behind the last byte."""
        return self.size

    def seek(self, place: int) -> int:
        """Nothing is written but behind the last byte; ``truncate`` goes back."""
        self._place = place
        return place

    def truncate(self) -> None:
        """Forgets what is behind the place that was sought."""
        self._file.truncate(self._place)
        self.size = self._place


def wanted_files(names: Sequence[str], source: str) -> list[str]:
    """The fewest files that make a model; its weights come first.

    Raises:
        UserError: they make none.
    """
    for weights in (*hub.SAFE_WEIGHTS, *hub.PICKLED_WEIGHTS):
        if weights in names:
            beside = (SETTINGS, *hub.TOKENIZER_FILES)
            return [weights, *(name for name in beside if name in names)]
    own = [WEIGHTS, CONFIG, TOKENIZER]
    if all(name in names for name in own):
        return [*own, *(name for name in names if name == TAGGING)]
    raise UserError(
        tr("{source} is not a CoCa model.", source=source),
        tr("Its repository holds neither open_clip's weights nor a model that CocaDesk wrote."),
        tr("Choose a coca_ViT-B-32 or coca_ViT-L-14 checkpoint."),
    )


def check_room(name: str, missing_bytes: int, prepared_bytes: int) -> None:
    """Looks whether the disk has room for what is still to be fetched, and for its preparation.

    Raises:
        UserError: it has not.
    """
    wanted: dict[int, int] = {}
    free: dict[int, tuple[int, Path]] = {}
    for folder, size in ((hub.hub_cache(), missing_bytes), (cache_folder(), prepared_bytes)):
        there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        disk = there.stat().st_dev
        wanted[disk] = wanted.get(disk, 0) + size
        free.setdefault(disk, (shutil.disk_usage(there).free, folder))
    for disk, size in wanted.items():
        left, folder = free[disk]
        if size > left:
            raise UserError(
                tr("The disk has no room for {source}.", source=name),
                tr(
                    "It takes {size} there until it can be used ({missing} to fetch, and copies "
                    "made ready for this computer); {free} are free in {folder}.",
                    size=gigabytes(size),
                    missing=gigabytes(missing_bytes),
                    free=gigabytes(left),
                    folder=folder,
                ),
                tr(
                    "Make room for {size} more, or name another folder in the variable "
                    "HF_HUB_CACHE or COCADESK_CACHE.",
                    size=gigabytes(size - left),
                ),
            )


def full_disk(source: str, repository: Repository) -> UserError:
    """The error for a disk that has filled up meanwhile."""
    return UserError(
        tr("The disk is full: {source} can't be fetched to its end.", source=source),
        tr(
            "{size} have come and are kept in {folder}.",
            size=gigabytes(hub.fetched_bytes(repository)),
            folder=repository.folder,
        ),
        tr(
            "Make room and fetch it again: it goes on where it was. To free what has come: "
            "cocadesk model remove {source}",
            source=source,
        ),
    )


def link(blob: Path, place: Path) -> None:
    """Puts a file of ``blobs`` into a snapshot, as a link where the system knows them."""
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    try:
        place.symlink_to(os.path.relpath(blob, place.parent))
    except (OSError, NotImplementedError):
        blob.replace(place)


def note_revision(repository: Repository, commit: str) -> None:
    """Notes which commit a branch or tag was when it was fetched, as other tools do."""
    if repository.revision != commit:
        reference = repository.folder / "refs" / repository.revision
        reference.parent.mkdir(parents=True, exist_ok=True)
        reference.write_text(commit, "utf-8")


def copy_from(source: str, folder: Path, report: Report) -> Path:
    """The snapshot of a hub source, copied from another cache of the hub, or from its folder there.

    Raises:
        UserError: it is not there, or the disk has no room for it.
    """
    repository = hub.parse_repository(source)
    name = repository.folder.name
    places = (folder, folder / name, folder / "hub" / name, folder / "huggingface" / "hub" / name)
    found = (hub.snapshot_of(place, repository.revision) for place in places if place.name == name)
    snapshot = next((path for path in found if path is not None), None)
    if snapshot is None:
        raise UserError(
            tr("{folder} does not hold {source}.", folder=folder, source=source),
            tr("It should be a hub's cache with a folder {name}.", name=name),
            tr("A checkpoint in any other folder is used by its path: cocadesk model use PATH"),
        )
    names = wanted_files([path.name for path in snapshot.iterdir()], source)
    files = [snapshot / name for name in names]
    total = sum(file.stat().st_size for file in files)
    check_room(source, total, bytes_to_prepare(source, total))
    blobs, done = repository.folder / "blobs", 0
    blobs.mkdir(parents=True, exist_ok=True)
    try:
        for file in reversed(files):  # with its weights it counts as whole
            tag = file.resolve().name if file.is_symlink() else hub.hash_of(file)
            if not (blobs / tag).exists():
                note_blob(repository.folder, tag)
            note_links(repository.folder, snapshot.name, [file.name])
            _copy(file, blobs / tag, partial(_told_beyond, report, done, total))
            hub.check_hash(blobs / tag)
            link(blobs / tag, repository.folder / "snapshots" / snapshot.name / file.name)
            done += file.stat().st_size
        note_revision(repository, snapshot.name)
    except OSError as error:
        if error.errno in DISK_FULL:
            raise full_disk(source, repository) from error
        raise
    return repository.folder / "snapshots" / snapshot.name


def _told_beyond(report: Report, before: int, total: int, size: int) -> None:
    report(before + size, total)


def _copy(file: Path, blob: Path, tell: Callable[[int], None]) -> None:
    draft = blob.with_name(f"{blob.name}.incomplete")
    draft.unlink(missing_ok=True)
    with file.open("rb") as source, CountedFile(draft, tell) as target:
        while data := source.read(1 << 22):
            target.write(data)
    draft.replace(blob)


def gigabytes(size: int) -> str:
    """A size as text; megabytes below one gigabyte."""
    if size < 10**9:
        return f"{decimal(size / 1e6, 0)} MB"
    return f"{decimal(size / 1e9)} GB"
