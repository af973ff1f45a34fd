"""The removal of a model that was fetched: only what came from us, and nobody needs any more."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from cocadesk.errors import UserError, tr
from cocadesk.library.model_uses import model_uses
from cocadesk.protocol.endpoint import library_name, running_libraries
from cocadesk.protocol.launch import running_engine
from cocadesk.protocol.messages import GetInfo, Info
from cocadesk.protocol.paths import WirePath

if TYPE_CHECKING:
    from cocadesk.model.checkpoints.hub import Repository

ANSWER_LIMIT_S = 3.0
LOCK_LIMIT_S = 0.2


def is_ours(source: str) -> bool:
    """True for a model of the hub that CocaDesk fetched, whole or not."""
    from cocadesk.model.checkpoints import hub
    from cocadesk.model.checkpoints.fetched_files import fetched_files

    if not hub.is_of_hub(source):
        return False
    return fetched_files(hub.parse_repository(source).folder) is not None


def remove_model(source: str, library: Path | None = None) -> int:
    """Removes what was fetched of a model, all versions of it; gives the bytes that it had.

    ``library`` was asked already whether it needs the model; None where there is none.

    Raises:
        UserError: it did not come from here, is not here, or is needed.
    """
    from cocadesk.model.checkpoints import hub
    from cocadesk.model.checkpoints.converted import forget_of
    from cocadesk.model.checkpoints.fetched_files import fetched_files, remove_fetched
    from cocadesk.model.checkpoints.fetching import locks_of

    said = tr("{source} can't be removed.", source=source)
    if not hub.is_of_hub(source):
        raise UserError(
            said, tr("Only models that were fetched from the hub are removed from here.")
        )
    repository = hub.parse_repository(source)
    noted = fetched_files(repository.folder)
    if noted is None:
        raise _not_ours(said, repository)
    if used := _user_of(repository.folder, library):
        raise UserError(said, *used)
    with ExitStack() as stack:
        for lock in locks_of(repository, noted.blobs, LOCK_LIMIT_S):
            try:
                stack.enter_context(lock)
            except TimeoutError as error:
                raise UserError(
                    said,
                    tr("It is being fetched at this moment."),
                    tr("Stop that, or wait for its end, and try again."),
                ) from error
        freed = forget_of(repository.folder)
    return freed + remove_fetched(repository)


def _not_ours(said: str, repository: Repository) -> UserError:
    from cocadesk.model.checkpoints import hub

    if not hub.fetched_bytes(repository):
        return UserError(
            said,
            tr("Nothing of it is on this computer."),
            tr("cocadesk model list shows the models that are."),
        )
    return UserError(
        said,
        tr("CocaDesk did not fetch it: it may belong to another program."),
        tr(
            "Where no other program needs it, remove the folder {folder} yourself.",
            folder=repository.folder,
        ),
    )


def _user_of(folder: Path, library: Path | None) -> tuple[str, str] | None:
    """Why another library needs the model in this folder, and what to do; None where none does."""
    for use in model_uses():
        if not _is_same(use.library, library) and _is_among(folder, use.sources):
            name = WirePath.of(use.library).text
            if use.is_away:
                return (
                    tr("The library in {folder} uses it, and is not there now.", folder=name),
                    tr(
                        "Connect its disk and let it use another model first. Where that library "
                        "is no more, remove the file {note}.",
                        note=use.note,
                    ),
                )
            return (
                tr("The library in {folder} uses it.", folder=name),
                tr("Let that library use another model first, then try again."),
            )
    for other in running_libraries():
        if not _is_same(other, library) and _is_among(folder, _sources_in_use(other)):
            name = WirePath.of(other).text
            return (
                tr("It is open in the engine of the library in {folder}.", folder=name),
                tr("Close the window on that library, then try again."),
            )
    return None


def _is_same(first: Path, second: Path | None) -> bool:
    return second is not None and library_name(first) == library_name(second)


def _is_among(folder: Path, sources: Collection[str]) -> bool:
    from cocadesk.model.checkpoints import hub

    return folder in {hub.folder_of(source) for source in sources}


def _sources_in_use(library: Path) -> set[str]:
    """What the engine of a library works with; nothing where it does not say."""
    try:
        client = running_engine(library)
        if client is None:
            return set()
        with client:
            model = client.ask(GetInfo(), Info, timeout_s=ANSWER_LIMIT_S).model
    except (UserError, OSError):  # of another version, or gone
        return set()
    return {model.source, *([model.captions.source] if model.captions else [])}
