"""Checkpoints of the model hub: found in its cache on this machine, else fetched and checked.

Looking into the cache opens no socket and does not import huggingface_hub.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cocadesk.errors import UserError, tr
from cocadesk.model.checkpoints import open_clip_names
from cocadesk.model.checkpoints.checkpoint import WEIGHTS

PREFIX = "hf-hub:"
RELEASED_PREFIX = "open_clip:"
#: open_clip's names for a repository's weights; safetensors is taken where it is there.
SAFE_WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.safetensors")
PICKLED_WEIGHTS = ("open_clip_pytorch_model.bin",)
#: Of models that read texts otherwise than CLIP does.
TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")
_FOLDER_PREFIX = "models--"
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{64}|[0-9a-f]{40}")
_REVISION = re.compile(r"[\w./-]+", re.ASCII)
_TAGS = ("laion2b_s13b_b90k", "mscoco_finetuned_laion2b_s13b_b90k")
_NAMES = ("coca_ViT-B-32", "coca_ViT-L-14")


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """A model repository, ``ORG/NAME``, at a branch, tag or commit."""

    name: str
    revision: str = "main"

    @property
    def folder(self) -> Path:
        """Its place in the hub's cache."""
        return hub_cache() / f"{_FOLDER_PREFIX}{self.name.replace('/', '--')}"


def hub_cache() -> Path:
    """The folder of huggingface_hub's downloads (its own variables, in its own order)."""
    if chosen := os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE"):
        return Path(chosen).expanduser()
    if home := os.environ.get("HF_HOME"):
        return Path(home).expanduser() / "hub"
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "huggingface" / "hub"


def parse_repository(source: str) -> Repository:
    """``hf-hub:ORG/NAME``, ``hf-hub:ORG/NAME@REVISION`` or ``open_clip:NAME/TAG``.

    Raises:
        UserError: the name cannot be one, or open_clip has no such CoCa.
    """
    if source.startswith(RELEASED_PREFIX):
        return _released(source)
    name, _, revision = source.removeprefix(PREFIX).partition("@")
    name = name.strip("/")
    if not _REPOSITORY.fullmatch(name) or ".." in name or "--" in name:
        raise UserError(
            tr("“{source}” names no model.", source=source),
            "",
            tr("Write it as {prefix}ORGANISATION/NAME.", prefix=PREFIX),
        )
    if revision and (not _REVISION.fullmatch(revision) or ".." in revision):
        raise UserError(
            tr("“{revision}” is no version of a model.", revision=revision), "", tr("Leave it out.")
        )
    return Repository(name=name, revision=revision or "main")


def is_of_hub(source: str) -> bool:
    """True for a name in the hub; False for the starter, a run or a path."""
    return source.startswith((PREFIX, RELEASED_PREFIX)) and named_file(source) is None


def named_file(source: str) -> tuple[str, Path] | None:
    """The model's name and the file of ``open_clip:NAME/`` and a path; None of other sources."""
    name, _, rest = source.removeprefix(RELEASED_PREFIX).partition("/")
    is_path = rest.startswith(("/", "~")) or re.match(r"[A-Za-z]:[\\/]", rest)
    if not source.startswith(RELEASED_PREFIX) or not is_path:
        return None
    return name, Path(rest).expanduser()


def same_model(first: str, second: str) -> bool:
    """True where two sources name one model, in other words perhaps."""
    if first == second:
        return True
    if not (is_of_hub(first) and is_of_hub(second)):
        return False
    try:
        return parse_repository(first) == parse_repository(second)
    except UserError:
        return False


def folder_of(source: str) -> Path | None:
    """The folder of the hub's cache where a source's files lie, whatever its version.

    None where they lie elsewhere.
    """
    if is_of_hub(source):
        try:
            return parse_repository(source).folder
        except UserError:
            return None
    named, cache = named_file(source), hub_cache()
    path = named[1] if named else Path(source.removeprefix("local-dir:")).expanduser()
    within = path.relative_to(cache).parts if path.is_relative_to(cache) else ()
    return cache / within[0] if within else None


def _released(source: str) -> Repository:
    """open_clip's names for released checkpoints, in any usual spelling."""
    wanted = source.removeprefix(RELEASED_PREFIX)
    if names_no_coca(source):
        released = open_clip_names.released_name(wanted)
        return Repository(name=open_clip_names.repository_of(*released))
    wanted_name, _, wanted_tag = wanted.rpartition("/")
    names = {_plain(name): name for name in _NAMES}
    name, tag = names.get(_plain(wanted_name)), _plain(wanted_tag)
    if name is None or tag not in _TAGS:
        raise UserError(
            tr(
                "open_clip has no CoCa checkpoint “{name}”.",
                name=source.removeprefix(RELEASED_PREFIX),
            ),
            tr(
                "Its CoCa models are {names}, each as {tags}.",
                names=", ".join(_NAMES),
                tags=", ".join(_TAGS),
            ),
            tr(
                "For example: {prefix}{name}/{tag}",
                prefix=RELEASED_PREFIX,
                name=_NAMES[1],
                tag=_TAGS[0],
            ),
        )
    prefix = "mscoco_finetuned_" if tag.startswith("mscoco") else ""
    return Repository(name=f"laion/{prefix}CoCa-{name.removeprefix('coca_')}-laion2B-s13B-b90k")


def names_no_coca(source: str) -> bool:
    """True for ``open_clip:NAME/…`` of a model without a decoder."""
    wanted = source.removeprefix(RELEASED_PREFIX)
    return source != wanted and not _plain(wanted).startswith("coca")


def _plain(text: str) -> str:
    return re.sub(r"[-/]", "_", text.lower())


def snapshot_of(folder: Path, revision: str = "main") -> Path | None:
    """The newest complete snapshot of a ``models--ORG--NAME`` folder: it holds weights."""
    snapshots = folder / "snapshots"
    reference = folder / "refs" / revision
    try:
        named = snapshots / reference.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        named = snapshots / revision
    if named.parent == snapshots and holds_weights(named):
        return named
    if revision != "main" or not snapshots.is_dir():
        return None
    whole = [path for path in snapshots.iterdir() if holds_weights(path)]
    return max(whole, key=lambda path: path.stat().st_mtime, default=None)


def holds_weights(folder: Path) -> bool:
    """True where a folder has weights under one of the usual names (links not broken)."""
    names = (*SAFE_WEIGHTS, *PICKLED_WEIGHTS, WEIGHTS)
    return any((folder / name).is_file() for name in names)


def repository_name(path: Path) -> str | None:
    """``ORG/NAME`` of a path inside a hub cache."""
    for part in reversed(path.parts):
        if part.startswith(_FOLDER_PREFIX):
            return part.removeprefix(_FOLDER_PREFIX).replace("--", "/", 1)
    return None


def cached_repositories(cache: Path | None = None) -> Iterator[tuple[str, Path]]:
    """``ORG/NAME`` and snapshot of every model with weights in a hub cache."""
    cache = cache or hub_cache()
    if not cache.is_dir():
        return
    for folder in sorted(cache.glob(f"{_FOLDER_PREFIX}*--*")):
        snapshot = snapshot_of(folder)
        name = repository_name(folder)
        if snapshot is not None and name is not None:
            yield name, snapshot


def is_here(repository: Repository) -> bool:
    """True where a model's files are in the hub's cache."""
    return snapshot_of(repository.folder, repository.revision) is not None


def fetched_bytes(repository: Repository) -> int:
    """The bytes of a repository that are in the cache, whole or not."""
    blobs = repository.folder / "blobs"
    try:
        return sum(path.stat().st_size for path in blobs.iterdir())
    except OSError:
        return 0


def hash_of(path: Path, *, like: str = "") -> str:
    """A file's SHA-256; where ``like`` is one of Git's, the hash that Git gives it."""
    with path.open("rb") as file:
        if len(like) != 40:
            return hashlib.file_digest(file, "sha256").hexdigest()
        digest = hashlib.sha1(b"blob %d\0" % path.stat().st_size, usedforsecurity=False)
        while data := file.read(1 << 20):
            digest.update(data)
        return digest.hexdigest()


def check_hash(path: Path, expected: str | None = None) -> None:
    """Compares a file of the hub's cache with its hash: ``expected``, or its name in the cache.

    A file that differs is removed, so that the next attempt fetches it anew.

    Raises:
        UserError: they differ.
    """
    real = path.resolve()
    named = real.name if real.parent.name == "blobs" else ""
    expected = expected or named
    if not _HASH.fullmatch(expected):
        return
    if hash_of(real, like=expected) != expected:
        real.unlink()
        raise UserError(
            tr("The model file {path} is not what its maker published.", path=path.name),
            tr("Its hash (SHA-256) differs: it was cut short or changed on the way."),
            tr("It was removed from the hub's cache; fetch it again."),
        )
