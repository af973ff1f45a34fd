"""The files that CocaDesk itself brought into the hub's cache: it removes these, and no others.

Other programs keep their models in the same cache, perhaps other files of the same repository. A
note in our own cache folder says for each repository what came from us: names and commits of
snapshots, and files in ``blobs`` by their hash.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cocadesk.locations import cache_folder
from cocadesk.model.checkpoints.hub import Repository, hub_cache


@dataclass(slots=True, kw_only=True)
class FetchedFiles:
    """What we brought of a repository: hashes of files, and by the commit the names of links."""

    blobs: set[str] = field(default_factory=set)
    links: dict[str, set[str]] = field(default_factory=dict)


def note_blob(folder: Path, tag: str) -> None:
    """Notes that a file of a repository's ``folder`` comes from us, before it does."""
    noted = fetched_files(folder) or FetchedFiles()
    if tag not in noted.blobs:
        noted.blobs.add(tag)
        _write(folder, noted)


def note_links(folder: Path, commit: str, names: Collection[str]) -> None:
    """Notes which files of a snapshot are ours, before they are there."""
    noted = fetched_files(folder) or FetchedFiles()
    snapshot = folder / "snapshots" / commit
    ours = noted.links.setdefault(commit, set())
    ours.update(name for name in names if not (snapshot / name).exists())
    if noted.blobs:
        _write(folder, noted)


def fetched_files(folder: Path) -> FetchedFiles | None:
    """What we brought of the repository in this folder of the cache; None where nothing."""
    try:
        table = json.loads(_note(folder).read_bytes())
        links = {str(commit): set(names) for commit, names in table["links"].items()}
        return FetchedFiles(blobs=set(table["blobs"]), links=links)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def remove_fetched(repository: Repository) -> int:
    """Removes what we brought of a repository; gives the bytes that came free.

    Files to which a snapshot of another program leads stay, as all else that is not ours.
    """
    folder, noted = repository.folder, fetched_files(repository.folder)
    if noted is None:
        return 0
    freed = 0
    for commit, names in noted.links.items():
        snapshot = folder / "snapshots" / commit
        for name in names:
            freed += _removed(snapshot / name)
        with contextlib.suppress(OSError):  # something of another program is in it
            snapshot.rmdir()
            _forget_references(folder, commit)
    linked = {path.resolve().name for path in (folder / "snapshots").rglob("*") if path.is_file()}
    for tag in noted.blobs - linked:
        for blob in (folder / "blobs" / tag, folder / "blobs" / f"{tag}.incomplete"):
            freed += _removed(blob)
    _note(folder).unlink(missing_ok=True)
    if not any(path.is_file() or path.is_symlink() for path in _contents(folder)):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(hub_cache() / ".locks" / folder.name, ignore_errors=True)
    return freed


def _contents(folder: Path) -> Iterator[Path]:
    """Files of a repository but for references, which alone are of no use."""
    for path in folder.rglob("*"):
        if path.relative_to(folder).parts[0] != "refs":
            yield path


def _removed(path: Path) -> int:
    """Removes a file or link; gives the bytes of a file."""
    size = 0 if path.is_symlink() or not path.is_file() else path.stat().st_size
    path.unlink(missing_ok=True)
    return size


def _forget_references(folder: Path, commit: str) -> None:
    for reference in (folder / "refs").rglob("*"):
        if reference.is_file() and reference.read_text("utf-8").strip() == commit:
            reference.unlink()


def _note(folder: Path) -> Path:
    place = hashlib.sha256(os.fsencode(folder.absolute())).hexdigest()[:12]
    return cache_folder() / "fetched" / f"{folder.name}-{place}.json"


def _write(folder: Path, noted: FetchedFiles) -> None:
    """Writes the note, for its owner alone."""
    path = _note(folder)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    links = {commit: sorted(names) for commit, names in noted.links.items()}
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump({"blobs": sorted(noted.blobs), "links": links}, file)
    draft.replace(path)
