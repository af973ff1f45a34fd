"""A library's folder: the names in it, making it, ``library.json`` and its thumbnails."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import zlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from cocadesk.errors import UserError, closed_to_us, tr
from cocadesk.library.lock import LOCK_NAME
from cocadesk.library.model_notes import note_models
from cocadesk.library.pictures import pictures_of
from cocadesk.library.storage import storage_of
from cocadesk.library_uri import MOVED_NAME, shown_name, uri_of
from cocadesk.locations import STARTER, close_to_others

MANIFEST_NAME = "library.json"
MANIFEST_COPY = f"{MANIFEST_NAME}.copy"
SCHEMA_VERSION = 9
_OLDEST_SCHEMA = 5
"""The oldest library whose tables are given the columns that they lack; see ``Store``."""
STORE_FOLDER = "store"
DAMAGED_FOLDER = "damaged"
BACKUPS_FOLDER = "backups"
VOCABULARY_NAME = "vocabulary.txt"
SNAPSHOT_NAME = "search.snapshot"
GROUPS_NAME = "same-pictures.groups"
MAP_NAME = "likeness.map"
MOVED_FROM_NAME = "moved-from.json"
PREVIEWS_FOLDER = "previews"
MEDIA = "media"
EDITS = "edits"
FAILURES = "failures"
VIEWS_PREFIX = "views_"

_BASE = "search-"

_OWN_NAMES = {
    LOCK_NAME,
    STORE_FOLDER,
    SNAPSHOT_NAME,
    GROUPS_NAME,
    MAP_NAME,
    DAMAGED_FOLDER,
    PREVIEWS_FOLDER,
    BACKUPS_FOLDER,
    "thumbs",
    "runs",
    MOVED_NAME,
    MOVED_FROM_NAME,
}
_OWN_BEGINNINGS = (".", MANIFEST_NAME, "engine", _BASE)


def views_table(image_id: str) -> str:
    """The name of the table that holds the vectors of ``image_id``."""
    return VIEWS_PREFIX + re.sub(r"[^A-Za-z0-9._-]", "_", image_id)


def base_name(name: str) -> str:
    """The file of a base of searches."""
    return f"{_BASE}{name}.base"


def bases_in(folder: Path) -> list[Path]:
    """The files of all bases of searches in a library."""
    return sorted(folder.glob(base_name("*")))


def draft_of(folder: Path, name: str) -> Path:
    """The file that a base of searches is written to before it is one."""
    return folder / f"{base_name(name)}.tmp"


def drafts_in(folder: Path, name: str = "*") -> list[Path]:
    """The drafts of a base of searches, or of all, in a library."""
    return sorted(folder.glob(f"{base_name(name)}*.tmp"))


_NO_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}


def check_disk(folder: Path) -> None:
    """Look whether tables can be kept where ``folder`` is, or is to be; leaves nothing there.

    Lance commits by a hard link to the new manifest, which only one of two writers can
    make; exFAT and FAT32 know none, and Lance knows no other way.

    Raises:
        UserError: they can't.
    """
    if uri_of(folder) is not None:
        return  # its tables are not on this disk
    place = next(path for path in (folder, *folder.parents) if path.is_dir())
    draft = place / f".cocadesk-{os.getpid()}.tmp"
    link = draft.with_suffix(".link")
    try:
        draft.touch()
    except OSError:
        return  # full or closed to us: what is written next says so
    try:
        link.hardlink_to(draft)
    except OSError as error:
        if error.errno in _NO_LINKS:
            raise UserError(
                tr("No library can be kept in {folder}.", folder=folder),
                tr(
                    "Its disk knows no hard links (so it is with exFAT and FAT32), "
                    "and without them nothing can be stored safely."
                ),
                tr(
                    "Choose a folder on another disk with --library; "
                    "the photos themselves may stay where they are."
                ),
            ) from error
    finally:
        for path in (link, draft):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


def begin(folder: Path, *, may_make: bool) -> Manifest | None:
    """The description of the library in ``folder``, which is made ready to be opened.

    None where it is not made yet; with ``may_make`` a place for it is made.

    Raises:
        UserError: there is no library, or none can be made there.
    """
    storage_of(folder).check_held()
    manifest = read_manifest(folder)
    if manifest is None:
        if not may_make:
            raise UserError(
                tr("There is no library in {folder}.", folder=shown_name(folder)),
                "",
                tr("Add a folder of photos first: cocadesk index FOLDER."),
            )
        make_folder(folder)
    else:
        note_models(folder, manifest.models_named)
    close_to_others(folder)
    follow_others(folder)
    return manifest


def follow_others(folder: Path) -> None:
    """Bring what rooms read here of that which another machine may have written."""
    storage_of(folder).follow_forgetting()
    storage_of(folder).pull(folder / VOCABULARY_NAME)


def make_folder(folder: Path) -> None:
    """Make the library's folder, refusing one that holds other things."""
    check_disk(folder)
    if uri_of(folder) is not None:
        storage_of(folder).check_new()
        return
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        names = [entry.name for entry in folder.iterdir()]
    except OSError as error:
        raise UserError(
            tr("The library can't be made in {folder}.", folder=folder),
            tr("The reason: {reason}.", reason=error.strerror or error),
            tr("Choose another folder with --library."),
        ) from error
    foreign = [
        name for name in names if name not in _OWN_NAMES and not name.startswith(_OWN_BEGINNINGS)
    ]
    if foreign:
        raise UserError(
            tr(
                "{folder} is not a library and not empty (it holds {found}).",
                folder=folder,
                found=repr(sorted(foreign)[0]),
            ),
            tr("A library needs a folder of its own."),
            tr("Choose an empty or a new folder with --library."),
        )


class Thumbnails:
    """JPEG files by picture hash, two levels of folders in a library's folder.

    Of a library in an object store a file is here once it was written or brought.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._storage = storage_of(folder.parent)
        self._pictures = pictures_of(folder.parent)

    def path(self, picture_hash: str) -> Path:
        """The file of a picture's thumbnail, which may not exist yet."""
        return self._folder / picture_hash[:2] / picture_hash[2:4] / f"{picture_hash}.jpg"

    def moment_path(self, picture_hash: str, view: int) -> Path:
        """The file of that of a video's moment, by its view number."""
        return self.path(picture_hash).with_name(f"{picture_hash}-{view}.jpg")

    def found(self, picture_hash: str) -> list[Path]:
        """All files of a picture that there are, moments too."""
        parent = self.path(picture_hash).parent
        found = set(parent.glob(f"{picture_hash}*"))  # copies in a working folder too
        with contextlib.suppress(FileNotFoundError):
            names = self._storage.files(parent)
            found |= {parent / name for name in names if name.startswith(picture_hash)}
        return sorted(found)

    def sizes_bytes(self, paths: Collection[Path]) -> dict[Path, int]:
        """The sizes of those files that there are, wherever the library is kept."""
        return self._pictures.sizes_bytes(self._folder, paths)

    def remove(self, picture_hashes: Collection[str]) -> None:
        """Remove all files of these pictures."""
        self.remove_files(path for one in picture_hashes for path in self.found(one))

    def remove_files(self, paths: Iterable[Path]) -> None:
        """Remove these files."""
        self._storage.remove(*paths)

    def write(self, picture_hash: str, jpeg: bytes, view: int | None = None) -> None:
        """Store one, of a video's moment with its ``view``, unless it is there; see ``settle``."""
        path = self.path(picture_hash) if view is None else self.moment_path(picture_hash, view)
        self._pictures.send(path, jpeg)

    def keep(self, path: Path, jpeg: bytes) -> None:
        """Store a picture at a path of the library that was made because somebody looks at it.

        Raises:
            UserError: the disk refuses. Where an object store does, it is only kept here.
        """
        self._pictures.keep(path, jpeg)

    def settle(self) -> None:
        """Wait until all that was written is stored; before rows that speak of it.

        Raises:
            UserError: the object store can't be written.
        """
        self._pictures.settle()

    def bring(self, paths: Iterable[Path]) -> None:
        """Have these files here, where they are to be seen; of one that can't be had, none is."""
        self._pictures.bring(paths)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The content of ``library.json``; ``image_id`` is None until something is indexed.

    ``model_source`` is what to open: ``starter``, ``run:ID`` (a run of this
    library, wherever it is moved to), a path or a hub's name; None means the
    starter. ``caption_source`` is what to open for captions; None means the same model, or
    the starter where that can't write any. ``watches``: changes in its folders are looked for;
    ``waits_on_battery``: long jobs wait for mains power. ``is_half_updated``: the tables of an
    older program are being given what those of ``schema`` have; the older program refuses it
    already, whose rows lack that.
    """

    id: str
    schema: int = SCHEMA_VERSION
    image_id: str | None = None
    model_id: str | None = None
    model_source: str | None = None
    caption_source: str | None = None
    watches: bool = True
    waits_on_battery: bool = False
    is_half_updated: bool = False

    @property
    def models_named(self) -> tuple[str | None, str | None]:
        """The sources of its models, for search and for captions."""
        return self.model_source, self.caption_source

    @property
    def is_older(self) -> bool:
        """True where an older program made the tables: they may lack columns."""
        return self.schema < SCHEMA_VERSION or self.is_half_updated

    def awaits(self, source: str, image_id: str) -> bool:
        """True where ``image_id`` is of another starter than the vectors of this library.

        An update of the program brings it, and the one of before is gone. An older
        program on a shared library has another one too: which came first is not known.
        Never of a model (``source``) that a person chose or taught: its files are where
        they were.
        """
        is_starter = source == STARTER == (self.model_source or STARTER)
        return is_starter and self.image_id not in (None, image_id)


_TEXTS = ("image_id", "model_id", "model_source", "caption_source")
_SWITCHES = ("watches", "waits_on_battery", "is_half_updated")


class DamagedManifestError(UserError):
    """``library.json`` and its copy are unreadable."""


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of the library in ``folder``, or None where there is none.

    Where the file is damaged or lost, its copy is read.

    Raises:
        UserError: both are unreadable, or it is of a newer or a much older CocaDesk.
    """
    damage: DamagedManifestError | None = None
    for name in (MANIFEST_NAME, MANIFEST_COPY):
        try:
            storage_of(folder).pull(folder / name)
            found = _read(folder / name)
        except DamagedManifestError as error:
            damage = damage or error
            continue
        if found is not None:
            return found
    if damage is not None:
        raise damage
    return None


def mend_manifest(folder: Path) -> bool:
    """Write file and copy anew where they are not the same; True where the file was damaged."""
    manifest = read_manifest(folder)
    if manifest is None or is_manifest_right(folder):
        return False
    is_damaged = _held(folder / MANIFEST_NAME) is None
    write_manifest(folder, manifest)
    return is_damaged


def is_manifest_right(folder: Path) -> bool:
    """True where ``library.json`` and its copy say the same."""
    storage_of(folder).pull(folder / MANIFEST_NAME, folder / MANIFEST_COPY)
    first = _held(folder / MANIFEST_NAME)
    return first is not None and first == _held(folder / MANIFEST_COPY)


def _held(path: Path) -> Manifest | None:
    try:
        return _read(path)
    except DamagedManifestError:
        return None


def _read(path: Path) -> Manifest | None:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except PermissionError as error:
        raise closed_to_us(path) from error
    except (OSError, ValueError) as error:
        raise _damaged(path, str(error)) from error
    return _validated(path, raw)


def _validated(path: Path, raw: object) -> Manifest:
    if not isinstance(raw, dict):
        raise _damaged(path, tr("it does not hold a library's description"))
    schema, library_id = raw.get("schema"), raw.get("id")
    if not isinstance(schema, int) or not isinstance(library_id, str) or not library_id:
        raise _damaged(path, tr("its id or schema version is missing"))
    texts = {name: raw.get(name) for name in _TEXTS}
    if any(value is not None and not isinstance(value, str) for value in texts.values()):
        raise _damaged(path, tr("the name of its model is not text"))
    switches = {name: raw[name] for name in _SWITCHES if name in raw}
    if any(not isinstance(value, bool) for value in switches.values()):
        raise _damaged(path, tr("a setting is neither on nor off"))
    manifest = Manifest(id=library_id, schema=schema, **{**texts, **switches})
    fields = {name: value for name, value in raw.items() if name != "checksum"}
    if raw.get("checksum", _checksum(fields)) != _checksum(fields):
        raise _damaged(path, tr("its checksum does not fit"))
    _check_schema(path, schema)
    return manifest


def _check_schema(path: Path, schema: int) -> None:
    if schema > SCHEMA_VERSION:
        raise UserError(
            tr(
                "The library in {folder} was made by a newer CocaDesk.",
                folder=shown_name(path.parent),
            ),
            tr(
                "Its schema is {schema}; this program knows up to {schema_version}.",
                schema=schema,
                schema_version=SCHEMA_VERSION,
            ),
            tr("Update CocaDesk, or open another library."),
        )
    if schema < 1:
        raise _damaged(path, tr("schema version {schema} does not exist", schema=schema))
    if schema < _OLDEST_SCHEMA:
        raise UserError(
            tr(
                "The library in {folder} was made by a much older CocaDesk.",
                folder=shown_name(path.parent),
            ),
            tr(
                "Its schema is {schema}; this program reads those from {oldest_schema} on.",
                schema=schema,
                oldest_schema=_OLDEST_SCHEMA,
            ),
            tr(
                "Index your folders into a new library; cocadesk library restore FILE brings your "
                "captions and tags from a file in the old one's folder of backups."
            ),
        )


def _damaged(path: Path, reason: str) -> DamagedManifestError:
    return DamagedManifestError(
        tr("The library's file {path} can't be read.", path=path),
        tr("The reason: {reason}.", reason=reason),
        tr("Put back the file from a backup, or start a new library."),
    )


def _checksum(fields: Mapping[str, object]) -> str:
    """A checksum over the values that a file holds, which may be fewer than this program's."""
    return f"{zlib.crc32(repr(tuple(fields.values())).encode()):08x}"


def _encoded(manifest: Manifest) -> bytes:
    fields = asdict(manifest)
    return json.dumps({**fields, "checksum": _checksum(fields)}, indent=1).encode() + b"\n"


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Replace ``library.json`` at once: a crash leaves the old or the new one, never half.

    The copy beside it follows.
    """
    storage = storage_of(folder)
    storage.swap(folder / MANIFEST_NAME, _encoded(manifest))
    storage.write(folder / MANIFEST_COPY, _encoded(manifest))
    note_models(folder, manifest.models_named)
