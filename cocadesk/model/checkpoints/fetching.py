"""Checkpoints of the hub, fetched into its cache and checked; a fetching that broke off goes on.

huggingface_hub 2 begins a file anew each time, so files are streamed here: with its own
``http_get``, into the partial file (``blobs/HASH.incomplete``) that its older versions go on with
too. The cache is laid out as every tool of the hub knows it.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from cocadesk.errors import UserError, tr
from cocadesk.model.checkpoints import hub, hub_waits
from cocadesk.model.checkpoints.cache_files import (
    DISK_FULL,
    CountedFile,
    Report,
    check_room,
    full_disk,
    gigabytes,
    link,
    note_revision,
    wanted_files,
)
from cocadesk.model.checkpoints.fetched_files import note_blob, note_links
from cocadesk.model.checkpoints.hub import Repository
from cocadesk.model.checkpoints.weight_files import first_line
from cocadesk.model.offers import bytes_to_prepare

Result = TypeVar("Result")

TRIES = 4
"""So often is asked again in vain; what came in between counts as none."""
WAITS_S = (1.0, 3.0, 10.0)
CHUNK_BYTES = 1 << 18
LOOK_S = 1.0
_DISK_CLOSED = (errno.EACCES, errno.EPERM, errno.EROFS)
_HASH = re.compile(r"[0-9a-f]{64}|[0-9a-f]{40}")


_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteFile:
    """A file of a repository; ``tag`` names it in the cache: its SHA-256, or Git's hash."""

    name: str
    size: int
    tag: str
    sha256: str | None


def find_snapshot(
    source: str,
    *,
    fetch: bool,
    report: Report = lambda _done, _all: None,
    on_wait: Callable[[float], None] = lambda _seconds: None,
) -> Path:
    """The folder of a hub source's files; fetched where it is not here and ``fetch`` is set.

    ``on_wait`` gets each second how long a hub still wants to be left alone that is busy.

    Raises:
        UserError: it is not on this machine and cannot or should not be fetched.
    """
    repository = hub.parse_repository(source)
    cached = hub.snapshot_of(repository.folder, repository.revision)
    if cached is not None:
        return cached
    if not fetch:
        raise absent(source, tr("It was not asked to be fetched now."))
    return _Fetching(source, repository, report, on_wait).fetched()


def fetch_small(repository: Repository, names: Sequence[str]) -> Path:
    """The folder with those of these small files that a repository has; it needs the first.

    Raises:
        OSError: it can't be had.
    """
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    from huggingface_hub import errors, hf_hub_download

    places: list[str] = []
    for name in names:
        try:
            places.append(hf_hub_download(repository.name, name, revision=repository.revision))
        except (OSError, ValueError, errors.HTTPError) as error:  # type: ignore[attr-defined]
            if not places:
                raise OSError(first_line(error)) from error
    return Path(places[0]).parent


def locks_of(
    repository: Repository, tags: Collection[str], wait_s: float
) -> Iterator[AbstractContextManager[object]]:
    """The locks of whoever fetches these files of a repository, this program or another.

    To enter one raises TimeoutError where it is held longer than ``wait_s``.
    """
    from huggingface_hub.utils import WeakFileLock  # type: ignore[attr-defined]

    folder = repository.folder.parent / ".locks" / repository.folder.name
    for tag in sorted(tags):
        if (folder / f"{tag}.lock").exists():
            yield WeakFileLock(folder / f"{tag}.lock", timeout=wait_s)


def absent(source: str, why: str) -> UserError:
    """The error for a model that is not here and can't be fetched, with the reason."""
    where = tr("It was looked for in {folder}.", folder=hub.hub_cache())
    return UserError(
        tr("The model {source} is not on this machine.", source=source),
        f"{why} {where}",
        tr(
            "Connect to the network and fetch it again (cocadesk model get), or copy the "
            "checkpoint here from another machine and give its path."
        ),
    )


class _Fetching:
    """Fetches one repository's model; what has come is kept whatever happens."""

    def __init__(
        self,
        source: str,
        repository: Repository,
        report: Report,
        on_wait: Callable[[float], None],
    ) -> None:
        # Read when the package is imported. Nothing about the person's use is sent along.
        os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
        os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        from huggingface_hub import constants

        if constants.HF_HUB_OFFLINE:
            raise absent(source, tr("HF_HUB_OFFLINE is set, so nothing is fetched."))
        # On a slow line nothing would be seen of its ten megabytes, and much lost at a break.
        constants.DOWNLOAD_CHUNK_SIZE = CHUNK_BYTES
        _leave_waiting_to_us()
        self._source = source
        self._repository = repository
        self._report = report
        self._on_wait = on_wait
        self._blobs = repository.folder / "blobs"
        self._before = 0
        self._total = 0

    def fetched(self) -> Path:
        """The snapshot, once all of it is here and checked.

        Raises:
            UserError: it can't be fetched, or is not what its maker published.
        """
        commit, files = self._tried(self._listed)
        self._total = sum(file.size for file in files)
        here = sum(self._bytes_of(file) for file in files)
        to_prepare = bytes_to_prepare(self._source, self._total)
        check_room(self._source, self._total - here, to_prepare)
        try:
            for file in files:
                self._fetch(file, commit)
                hub.check_hash(self._blobs / file.tag, file.sha256)
                self._before += file.size
            snapshot = self._repository.folder / "snapshots" / commit
            note_links(self._repository.folder, commit, [file.name for file in files])
            for file in reversed(files):  # with its weights it counts as whole
                link(self._blobs / file.tag, snapshot / file.name)
            note_revision(self._repository, commit)
        except OSError as error:
            raise self._refused(error) from error
        return snapshot

    def _listed(self) -> tuple[str, list[RemoteFile]]:
        """The commit and the files that make a model, the weights first."""
        from huggingface_hub import HfApi

        found = HfApi().model_info(
            self._repository.name,
            revision=self._repository.revision,
            files_metadata=True,
            timeout=30,
        )
        siblings = {file.rfilename: file for file in found.siblings or []}
        wanted = wanted_files(list(siblings), self._source)
        return str(found.sha), [self._remote(siblings[name], str(found.sha)) for name in wanted]

    def _remote(self, sibling: Any, commit: str) -> RemoteFile:
        from huggingface_hub import get_hf_file_metadata, hf_hub_url

        sha256 = getattr(sibling.lfs, "sha256", None)
        size, tag = sibling.size, sha256 or sibling.blob_id
        if size is None or not tag:  # a mirror that lists names alone
            url = hf_hub_url(self._repository.name, sibling.rfilename, revision=commit)
            found = get_hf_file_metadata(url, timeout=30)
            size, tag = found.size or 0, found.etag or ""
        if not _HASH.fullmatch(tag):
            raise OSError(f"the hub names no hash of {sibling.rfilename}")
        return RemoteFile(name=sibling.rfilename, size=int(size), tag=tag, sha256=sha256)

    def _bytes_of(self, file: RemoteFile) -> int:
        for path in (self._blobs / file.tag, self._partial(file)):
            with suppress(OSError):
                return path.stat().st_size
        return 0

    def _partial(self, file: RemoteFile) -> Path:
        return self._blobs / f"{file.tag}.incomplete"

    def _fetch(self, file: RemoteFile, commit: str) -> None:
        """Brings a file into ``blobs``; asks again as long as something comes."""
        from huggingface_hub.utils import WeakFileLock  # type: ignore[attr-defined]

        locks = self._repository.folder.parent / ".locks" / self._repository.folder.name
        for folder in (locks, self._blobs):
            folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            while True:  # another process may fetch the same file
                with suppress(TimeoutError):
                    lock = WeakFileLock(locks / f"{file.tag}.lock", timeout=LOOK_S)
                    stack.enter_context(lock)
                    break
                self._tell(self._bytes_of(file))
            if not (self._blobs / file.tag).exists():
                note_blob(self._repository.folder, file.tag)
                self._tried(lambda: self._stream(file, commit), lambda: self._bytes_of(file))
                self._partial(file).replace(self._blobs / file.tag)

    def _stream(self, file: RemoteFile, commit: str) -> None:
        from huggingface_hub import hf_hub_url
        from huggingface_hub.file_download import http_get
        from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

        url = hf_hub_url(self._repository.name, file.name, revision=commit)
        with CountedFile(self._partial(file), self._tell) as partial:
            if partial.size > file.size:
                partial.empty()
            http_get(
                url,
                partial,  # type: ignore[arg-type]
                resume_size=partial.size,
                headers=build_hf_headers() | {"accept-encoding": "identity"},
                expected_size=file.size,
            )

    def _tell(self, size: int) -> None:
        self._report(self._before + size, self._total)

    def _tried(self, work: Callable[[], Result], size: Callable[[], int] | None = None) -> Result:
        """The result of ``work``, which is tried again where the hub is busy or ill.

        After the time that it asks for, unless that is too long. Where ``size`` tells what has
        come, so it is where the network breaks.

        Raises:
            UserError: in vain.
        """
        from huggingface_hub import errors

        left, had = TRIES, size() if size else 0
        while True:
            try:
                return work()
            except (OSError, ValueError, errors.HTTPError) as error:  # type: ignore[attr-defined]
                now = size() if size else 0
                left, had = (left if now == had else TRIES) - 1, now
                asked_s = hub_waits.asked_wait_s(error)
                is_too_long = asked_s is not None and asked_s > hub_waits.MOST_S
                if not left or is_too_long or not _is_passing(error, of_network=size is not None):
                    raise self._refused(error) from error
                _log.info("%s is tried again: %s", self._repository.name, first_line(error))
                if asked_s is None:
                    time.sleep(WAITS_S[min(TRIES - left, len(WAITS_S)) - 1])
                else:
                    hub_waits.wait(asked_s, self._on_wait)

    def _refused(self, error: Exception) -> UserError:
        """An error of the library, the network or the disk in sentences."""
        from huggingface_hub import errors, get_token

        name, revision = self._repository.name, self._repository.revision
        if isinstance(error, errors.GatedRepoError) or _status(error) == 403:
            return UserError(
                tr("The hub lets only chosen people fetch {name}.", name=name),
                tr("Its makers want their terms to be accepted, or a token is missing."),
                tr("Accept the terms on the hub's page, then log in here: hf auth login"),
            )
        if isinstance(error, errors.RevisionNotFoundError):
            return UserError(
                tr(
                    "{name} has no version {revision}.",
                    name=name,
                    revision=revision,
                ),
                "",
                tr("Leave the version out, or look it up on the hub's page."),
            )
        is_unknown = isinstance(error, errors.RepositoryNotFoundError | errors.EntryNotFoundError)
        if is_unknown or (_status(error) == 401 and get_token() is None):
            return UserError(
                tr("The hub has no public model {name}.", name=name),
                tr("The name is mistyped, or it is not open to everyone."),
                tr("Look the name up on the hub's page."),
            )
        if isinstance(error, OSError) and error.errno in DISK_FULL:
            return full_disk(self._source, self._repository)
        if isinstance(error, OSError) and error.errno in _DISK_CLOSED:
            return UserError(
                tr("{folder} can't be written to.", folder=hub.hub_cache()),
                f"{error.strerror}.",
                tr("Name another folder in the variable HF_HUB_CACHE."),
            )
        return absent(self._source, self._why(error))

    def _why(self, error: Exception) -> str:
        """A sentence on what kept a model from coming, and on what has come of it."""
        status, asked_s = _status(error), hub_waits.asked_wait_s(error)
        if status == 401:
            why = tr("The hub does not know the token that you are logged in with.")
        elif asked_s:
            time_left = hub_waits.duration(asked_s)
            why = tr("The hub is busy and wants to be asked again in {time}.", time=time_left)
        elif status == 429:
            why = tr("The hub is asked too often from here; it wants you to wait.")
        elif status is not None and status >= 500:
            why = tr("The hub has a fault of its own ({status}).", status=status)
        else:
            why = tr("Fetching it failed: {reason}.", reason=first_line(error).rstrip("."))
        had = hub.fetched_bytes(self._repository)
        if had:
            kept = tr("{size} have come and are kept.", size=gigabytes(had))
            return f"{why} {kept}"
        return why


def _leave_waiting_to_us() -> None:
    """Lets huggingface_hub's streaming give up at once where the hub is busy.

    It would wait without a word, and as long as it is asked to.
    """
    from huggingface_hub import file_download

    ask = getattr(file_download, "http_stream_backoff", None)  # its first version has none
    if ask is not None and not isinstance(ask, partial):
        setattr(file_download, ask.__name__, partial(ask, max_retries=0))


def _status(error: Exception) -> int | None:
    """The status of an answer of the hub; None where it gave none."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    return status if isinstance(status, int) else None


def _is_passing(error: Exception, *, of_network: bool) -> bool:
    """True where asking again may help: a hub that is busy or ill, or a network that breaks."""
    status = _status(error)
    if status is not None:
        return status in (408, 425, 429) or status >= 500
    return of_network and not _is_of_disk(error)


def _is_of_disk(error: Exception) -> bool:
    return isinstance(error, OSError) and error.errno in (*DISK_FULL, *_DISK_CLOSED)
