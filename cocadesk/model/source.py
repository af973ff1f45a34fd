"""Model sources: from a name or path to a checkpoint folder."""

from __future__ import annotations

from pathlib import Path

from cocadesk.errors import UserError, tr
from cocadesk.locations import FOLDER_PREFIX, RUN_PREFIX, STARTER
from cocadesk.model.checkpoints import hub
from cocadesk.model.checkpoints.checkpoint import (
    WEIGHTS,
    Checkpoint,
    is_checkpoint,
    open_checkpoint,
)
from cocadesk.model.checkpoints.fetching import find_snapshot
from cocadesk.model.checkpoints.open_clip_config import SETTINGS
from cocadesk.model.checkpoints.open_clip_towers import (
    SearchTowers,
    named_towers,
    towers_beside,
)
from cocadesk.model.checkpoints.weight_files import PICKLE_SUFFIXES, SAFE_SUFFIX
from cocadesk.resources import resource_path


def find_checkpoint(source: str, *, fetch: bool = True) -> Checkpoint:
    """The checkpoint that a source names, converted into ours where it is open_clip's.

    Raises:
        UserError: nothing is there, or it is no CoCa model.
    """
    found = find_model(source, fetch=fetch)
    if isinstance(found, SearchTowers):
        raise UserError(
            tr("{source} is not a CoCa model.", source=source),
            tr(
                "{found} can only search: it is a CLIP or SigLIP model of open_clip.",
                found=found.name,
            ),
            tr("Choose the starter or a CoCa checkpoint."),
        )
    return found


def find_model(source: str, *, fetch: bool = True) -> Checkpoint | SearchTowers:
    """The checkpoint of ours that a source names, or open_clip's files of one that only searches.

    A source is ``starter``, a checkpoint or run folder, a state dict of open_clip's
    CoCa (file, folder or hub cache), ``open_clip:NAME/TAG``, ``hf-hub:ORG/NAME``,
    ``local-dir:FOLDER``, or ``open_clip:NAME/`` and the path of a file, where its name tells
    what kind of CLIP it is. Only the hub's may be fetched, and only while they are not in the
    hub's cache.

    Raises:
        UserError: nothing is there, or it is no model that can be used.
    """
    if source == STARTER:
        return open_checkpoint(resource_path(STARTER))
    if hub.names_no_coca(source):
        return named_towers(source, fetch=fetch)
    if source.startswith((hub.PREFIX, hub.RELEASED_PREFIX)):
        return _open_folder(find_snapshot(source, fetch=fetch), fetch)
    path = _path_of(source)
    if path.is_file():
        return _open_file(path)
    if path.is_dir():
        return _open_folder(path)
    raise UserError(
        tr("{path} is not a CocaDesk model.", path=path),
        tr("It is neither a file nor a folder."),
        _choices(),
    )


def _path_of(source: str) -> Path:
    """The place of a source that is none of the hub's.

    Raises:
        UserError: there is nothing, or the system does not let us look.
    """
    where = source.removeprefix(FOLDER_PREFIX)
    if not where.strip():
        raise UserError(tr("No model is named."), "", _choices())
    try:
        path = Path(where).expanduser()
        if path.exists():
            return path
    except (OSError, RuntimeError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise UserError(
            tr("There is no model “{source}”.", source=source),
            tr("The system says: {error}.", error=str(said).rstrip(".")),
            _choices(),
        ) from error
    raise UserError(
        tr("There is no model “{source}”.", source=source),
        tr("It is neither “starter” nor a folder or file on this machine."),
        _choices(),
    )


def _choices() -> str:
    """What may be given instead."""
    return tr(
        "Give “starter”, a checkpoint folder, a run folder, open_clip:NAME/TAG "
        "or hf-hub:ORGANISATION/NAME."
    )


def _open_file(path: Path) -> Checkpoint | SearchTowers:
    if path.name == WEIGHTS and is_checkpoint(path.parent):
        return open_checkpoint(path.parent)
    if path.suffix not in (SAFE_SUFFIX, *PICKLE_SUFFIXES):
        raise UserError(
            tr("{path} is not a CocaDesk model.", path=path),
            tr(
                "A model is a folder with a file {weights}, or a state dict of open_clip's CoCa "
                "({suffixes}).",
                weights=WEIGHTS,
                suffixes=", ".join((SAFE_SUFFIX, *PICKLE_SUFFIXES)),
            ),
            tr("Give such a folder or file."),
        )
    return _convert(path)


def _open_folder(folder: Path, fetch: bool = False) -> Checkpoint | SearchTowers:
    best = folder / "checkpoints" / "best"
    if best.is_dir():
        return open_checkpoint(best)
    snapshot = hub.snapshot_of(folder)
    if snapshot is not None:
        return _open_folder(snapshot, fetch)
    for name in (*hub.SAFE_WEIGHTS, *hub.PICKLED_WEIGHTS):
        if (folder / name).is_file():
            return _convert(folder / name, fetch)
    if is_checkpoint(folder):
        return open_checkpoint(folder)
    inside = dict(hub.cached_repositories(folder))
    if inside:
        return _only_one(folder, list(inside.values()), [f"{hub.PREFIX}{name}" for name in inside])
    for suffixes in ((SAFE_SUFFIX,), PICKLE_SUFFIXES):
        named = sorted(path for path in folder.iterdir() if path.suffix in suffixes)
        files = [path for path in named if path.is_file()]  # no link that leads round in a circle
        if files:
            return _only_one(folder, files, [str(path) for path in files])
    return open_checkpoint(folder)


def _only_one(folder: Path, found: list[Path], names: list[str]) -> Checkpoint | SearchTowers:
    """Opens the only model of a folder.

    Raises:
        UserError: there are several.
    """
    if len(found) > 1:
        raise UserError(
            tr("{folder} holds {found} models.", folder=folder, found=len(found)),
            "",
            tr("Name one of them: {names}.", names=", ".join(names)),
        )
    return _convert(found[0]) if found[0].is_file() else _open_folder(found[0])


def _convert(weights: Path, fetch: bool = False) -> Checkpoint | SearchTowers:
    from cocadesk.model.checkpoints.converted import ForeignModel, prepare

    towers = towers_beside(weights, fetch=fetch)
    if towers is not None:
        return towers
    settings = weights.with_name(SETTINGS)
    return prepare(
        ForeignModel(
            weights=weights,
            settings=settings if settings.is_file() else None,
            name=hub.repository_name(weights) or f"{weights.parent.name}/{weights.name}",
        )
    )


def resolve_source(source: str, runs_folder: Path | None = None) -> str:
    """A source that ``open_backend`` takes: ``run:ID`` becomes the folder of that run.

    Raises:
        UserError: the source names a run and the library has none of that id.
    """
    if not source.startswith(RUN_PREFIX):
        return source
    run_id = source.removeprefix(RUN_PREFIX)
    is_name = run_id.isalnum()
    if runs_folder is None or not is_name or not (runs_folder / run_id).is_dir():
        raise UserError(
            tr("There is no teaching run “{run_id}” in this library.", run_id=run_id),
            tr("Its folder is gone, or it belongs to another library."),
            tr("cocadesk model list shows the models that there are."),
        )
    return str(runs_folder / run_id)
