"""Where a model comes from: a name or path becomes a checkpoint folder."""

from __future__ import annotations

from pathlib import Path

from cocadesk.errors import UserError
from cocadesk.model.checkpoint import WEIGHTS, Checkpoint, open_checkpoint
from cocadesk.resources import resource_path

STARTER = "starter"
RUN_PREFIX = "run:"


def find_checkpoint(source: str) -> Checkpoint:
    """The checkpoint that a source names.

    Raises:
        UserError: nothing is there, or it is no model of ours.
    """
    if source == STARTER:
        return open_checkpoint(resource_path(STARTER))
    path = Path(source).expanduser()
    if not path.exists():
        raise UserError(
            f"There is no model “{source}”.",
            "It is neither “starter” nor a folder or file on this machine.",
            "Give “starter”, a checkpoint folder or a run folder.",
        )
    if path.is_file():
        if path.name != WEIGHTS:
            raise UserError(
                f"{path} is not a CocaDesk model.",
                f"A model is a folder with a file {WEIGHTS}.",
                "Give the folder.",
            )
        path = path.parent
    best = path / "checkpoints" / "best"
    return open_checkpoint(best if best.is_dir() else path)


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
            f"There is no teaching run “{run_id}” in this library.",
            "Its folder is gone, or it belongs to another library.",
            "cocadesk model list shows the models that there are.",
        )
    return str(runs_folder / run_id)
