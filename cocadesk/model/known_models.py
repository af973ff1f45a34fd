"""The models that are on this machine, for lists; nothing is opened or fetched."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from cocadesk.errors import UserError, retold, tr
from cocadesk.locations import RUN_PREFIX, STARTER
from cocadesk.model.checkpoints import hub
from cocadesk.model.checkpoints.checkpoint import is_checkpoint
from cocadesk.model.checkpoints.open_clip_config import SETTINGS, read_settings
from cocadesk.model.checkpoints.open_clip_towers import is_of_towers
from cocadesk.model.offers import offered
from cocadesk.resources import resource_path


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownModel:
    """A model that can be used: ``source`` is what ``open_backend`` takes (or ``run:ID``)."""

    source: str
    name: str
    size_bytes: int
    note: str = ""
    is_for_search: bool = True
    is_for_captions: bool = True


def known_models(
    extra_folders: Sequence[Path] = (),
    *,
    runs_folder: Path | None = None,
    used: Sequence[str] = (),
) -> list[KnownModel]:
    """The starter, finished runs, CoCa models of the hub's cache and of other folders.

    ``used`` are the sources that a library uses: they are listed even where their
    files are gone, with a note that says so.
    """
    found = [*_starter(), *_runs(runs_folder), *_hub_models(used)]
    found += [model for folder in extra_folders for model in _folder(folder)]
    listed = {model.source for model in found}
    found += [_gone_or_elsewhere(source) for source in used if source not in listed]
    return list({model.source: model for model in found}.values())


def _starter() -> Iterator[KnownModel]:
    try:
        folder = resource_path(STARTER)
    except UserError:  # a checkout without the starter's files
        return
    yield KnownModel(
        source=STARTER, name="starter", size_bytes=_size(folder), note=tr("ships with CocaDesk")
    )


def _runs(runs_folder: Path | None) -> Iterator[KnownModel]:
    if runs_folder is None or not runs_folder.is_dir():
        return
    for folder in sorted(runs_folder.iterdir()):
        best = folder / "checkpoints" / "best"
        if folder.name.isalnum() and is_checkpoint(best) and (folder / "result.json").is_file():
            title = _title(folder)
            yield KnownModel(
                source=f"{RUN_PREFIX}{folder.name}",
                name=title or tr("run {name}", name=folder.name),
                size_bytes=_size(best),
                note=tr("taught here"),
            )


def _title(folder: Path) -> str:
    try:
        return str(json.loads((folder / "spec.json").read_text("utf-8")).get("title", ""))
    except (OSError, ValueError, AttributeError):
        return ""


def _hub_models(used: Sequence[str]) -> Iterator[KnownModel]:
    """Under the name by which they are used, else offered, else their own."""
    for name, snapshot in hub.cached_repositories():
        is_coca = _is_coca(name, snapshot)
        if not is_coca and not _is_of_towers(snapshot):
            continue
        source = f"{hub.PREFIX}{name}"
        offer = offered(source)
        note = tr("in the hub's cache") if is_coca else tr("in the hub's cache; for search only")
        if offer is not None and not offer.is_for_search:
            note = tr("in the hub's cache; for captions only, its search is spoiled")
        named = offer.source if offer else source
        yield KnownModel(
            source=next((one for one in used if hub.same_model(one, source)), named),
            name=retold(offer.name) if offer else name,
            size_bytes=_size(snapshot),
            note=note,
            is_for_search=offer is None or offer.is_for_search,
            is_for_captions=is_coca,
        )


def _is_coca(name: str, snapshot: Path) -> bool:
    if "coca" in name.lower():
        return True
    try:
        model = read_settings(snapshot / SETTINGS).get("model_cfg")
    except UserError:
        return False
    return isinstance(model, dict) and "multimodal_cfg" in model


def _is_of_towers(snapshot: Path) -> bool:
    """True for a CLIP or SigLIP model as open_clip keeps it."""
    settings = snapshot / SETTINGS
    try:
        return settings.is_file() and is_of_towers(read_settings(settings))
    except UserError:
        return False


def _folder(folder: Path) -> Iterator[KnownModel]:
    """A checkpoint folder, or the checkpoint folders in a folder."""
    inside: Iterable[Path] = sorted(folder.iterdir()) if folder.is_dir() else ()
    for candidate in (folder, *inside):
        if is_checkpoint(candidate):
            yield KnownModel(
                source=str(candidate), name=candidate.name, size_bytes=_size(candidate)
            )


def _gone_or_elsewhere(source: str) -> KnownModel:
    path = Path(source).expanduser()
    is_here = path.exists()
    return KnownModel(
        source=source,
        name=path.name if is_here else source,
        size_bytes=_size(path) if is_here else 0,
        note="" if is_here else tr("its files are not on this machine now"),
    )


def _size(path: Path) -> int:
    """Bytes of a file, or of all files right inside a folder."""
    files = path.iterdir() if path.is_dir() else (path,)
    return sum(file.stat().st_size for file in files if file.is_file())
