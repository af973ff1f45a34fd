"""The door to obstore: objects of one library in a store that speaks S3, errors as sentences.

obstore is the Rust crate by which Lance itself reads and writes such stores, so both take the
same options and see the same store. pyarrow's file systems know no conditional writes, which
a library with several machines needs (``swap``).
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from cocadesk.errors import UserError, tr
from cocadesk.library_uri import Credentials, LibraryUri

if TYPE_CHECKING:
    from obstore.store import S3Store

_CONNECT_S = 5
_REQUEST_S = 60
_SILENT_S = 12.0
"""A request ends where nothing is heard for so long: Lance asks six times for a list, which
makes it a minute. An upload hears nothing before its end: parts of 5 MB, one at a time, take
less on 4 Mbit/s."""
_RETRIES = 3
_KEYS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectMark:
    """An object as it was: ``tag`` is another after each write, ``when`` is the store's time."""

    size_bytes: int
    tag: str
    when: datetime


class ObjectStore:
    """The objects below the address of one library, by names with "/" between folders."""

    def __init__(self, uri: LibraryUri, keys: Credentials, *, silent_s: float = _SILENT_S) -> None:
        from obstore.store import S3Store

        self.uri: Final = uri
        self._keys = keys
        self._silent_ms = int(silent_s * 1000)
        with in_words(uri):
            self._store: S3Store = S3Store(
                uri.bucket,
                prefix=uri.name,
                config={
                    "region": uri.region,
                    "access_key_id": keys.key_id,
                    "secret_access_key": keys.secret,
                    "virtual_hosted_style_request": False,
                    **({"endpoint": uri.endpoint} if uri.endpoint else {}),
                    **({"session_token": keys.token} if keys.token else {}),
                },
                client_options={
                    "allow_http": uri.endpoint.startswith("http://"),
                    "connect_timeout": timedelta(seconds=_CONNECT_S),
                    "timeout": timedelta(seconds=_REQUEST_S),
                    "read_timeout": timedelta(seconds=silent_s),
                },
                retry_config={
                    "max_retries": _RETRIES,
                    # Shorter than a silence, after which nothing is tried again.
                    "retry_timeout": timedelta(seconds=silent_s / 2),
                },
            )

    def table_options(self) -> dict[str, str]:
        """The same place and keys as LanceDB takes them."""
        options = {
            "region": self.uri.region,
            "aws_access_key_id": self._keys.key_id,
            "aws_secret_access_key": self._keys.secret,
            "allow_http": str(self.uri.endpoint.startswith("http://")).lower(),
            "connect_timeout": f"{_CONNECT_S}s",
            "timeout": f"{_REQUEST_S}s",
            "client_max_retries": str(_RETRIES),
            "read_timeout": f"{self._silent_ms}ms",
            "client_retry_timeout": str(self._silent_ms // 2000),
        }
        if self.uri.endpoint:
            options["endpoint"] = self.uri.endpoint
        if self._keys.token:
            options["aws_session_token"] = self._keys.token
        return options

    def read(self, name: str) -> bytes:
        """The content of an object.

        Raises:
            FileNotFoundError: there is none.
            UserError: the store can't be asked.
        """
        return self.read_marked(name)[0]

    def read_marked(self, name: str) -> tuple[bytes, ObjectMark]:
        """As ``read``, with the mark of what was read."""
        with in_words(self.uri):
            found = self._store.get(name)
            meta = found.meta
            mark = ObjectMark(
                size_bytes=meta["size"], tag=meta["e_tag"] or "", when=meta["last_modified"]
            )
            return bytes(found.bytes()), mark

    def has(self, name: str) -> bool:
        """True where there is such an object, not an empty one."""
        with in_words(self.uri), contextlib.suppress(FileNotFoundError):
            return self._store.head(name)["size"] > 0
        return False

    def write(self, name: str, data: bytes) -> None:
        """Write an object, whole or not at all."""
        with in_words(self.uri):
            self._store.put(name, data, max_concurrency=1)

    def swap(self, name: str, data: bytes, tag: str | None) -> str | None:
        """Write an object if it is still that of ``tag`` (None: there is none); its new tag.

        Gives None where it is another one by now.
        """
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        with in_words(self.uri):
            try:
                done = self._store.put(name, data, mode={"e_tag": tag} if tag else "create")
            except (AlreadyExistsError, PreconditionError):
                return None
            except FileNotFoundError as error:
                if tag is None or "NoSuchBucket" in str(error):
                    raise
                return None
            return done["e_tag"]

    def objects(self, folder: str) -> dict[str, ObjectMark]:
        """All objects below a folder, with their whole names."""
        with in_words(self.uri):
            return {
                meta["path"]: ObjectMark(
                    size_bytes=meta["size"], tag=meta["e_tag"] or "", when=meta["last_modified"]
                )
                for batch in self._store.list(folder or None, chunk_size=_KEYS_AT_ONCE)
                for meta in batch
            }

    def first_names(self) -> list[str]:
        """The names of the first objects, as many as one answer has."""
        with in_words(self.uri):
            page = next(iter(self._store.list(chunk_size=_KEYS_AT_ONCE)), [])
            return sorted(meta["path"] for meta in page)

    def folders(self, folder: str) -> list[str]:
        """The names of the folders in a folder."""
        with in_words(self.uri):
            found = self._store.list_with_delimiter(folder or None)["common_prefixes"]
            return sorted(path.rstrip("/").rpartition("/")[2] for path in found)

    def delete(self, names: Iterable[str]) -> None:
        """Delete objects; those that are not there are passed over."""
        wanted = sorted(names)
        with in_words(self.uri):
            for start in range(0, len(wanted), _KEYS_AT_ONCE):
                with contextlib.suppress(FileNotFoundError):
                    self._store.delete(wanted[start : start + _KEYS_AT_ONCE])

    def move(self, name: str, to: str) -> None:
        """Give an object another name."""
        with in_words(self.uri):
            self._store.copy(name, to)
        self.delete([name])


@contextlib.contextmanager
def in_words(uri: LibraryUri) -> Iterator[None]:
    """Turn what the store, or the way to it, refuses into a sentence.

    ``FileNotFoundError`` for a lost object passes, that of a lost bucket does not.
    """
    from obstore.exceptions import BaseError

    try:
        yield
    except UserError:
        raise
    except (BaseError, OSError, ValueError) as error:
        said = store_refusal(uri, str(error).split("\n\nDebug source")[0])
        if isinstance(error, FileNotFoundError) and "NoSuchBucket" not in str(error):
            raise
        raise said or _unknown(uri, str(error)) from error


# Compiled where they are first needed: each search imports this, whatever its library is in.
_LOST = (
    r"(?i)error sending request|timed ?out|response body|connection (?:reset|closed|refused)"
    r"|dns error|status code: 5\d\d"
)
_REFUSED = (
    r"InvalidAccessKeyId|SignatureDoesNotMatch|AccessDenied|ExpiredToken|InvalidToken|AuthFailure"
    r"|InvalidClientTokenId|status code: 40[13]|Unauthenticated|PermissionDenied"
)
_REGION = r"PermanentRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraint"


def store_refusal(uri: LibraryUri, text: str) -> UserError | None:
    """The sentence for what a store has answered; None where that says nothing of the store."""
    server = uri.server
    if "NoSuchBucket" in text:
        return UserError(
            tr(
                "There is no bucket {bucket} in the object store ({server}).",
                bucket=uri.bucket,
                server=server,
            ),
            tr("A library is made in a bucket that is there."),
            tr("Check the name, or make the bucket with your store's own program."),
        )
    if re.search(_REGION, text):
        return UserError(
            tr(
                "The bucket {bucket} lies in another region than {region}.",
                bucket=uri.bucket,
                region=uri.region,
            ),
            "",
            tr("Set AWS_REGION, or add ?region=NAME to the library's address."),
        )
    if "RequestTimeTooSkewed" in text:
        return UserError(
            tr(
                "The object store ({server}) refuses requests from this machine's time.",
                server=server,
            ),
            tr("Its clock is wrong by more than some minutes."),
            tr("Set the clock, then try again."),
        )
    if re.search(_REFUSED, text):
        return UserError(
            tr("The object store refuses access to {uri}.", uri=uri),
            tr("Your credentials are wrong, or they may not read and write there."),
            tr("Check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, then try again."),
        )
    if re.search(_LOST, text):
        return UserError(
            tr("The object store ({server}) does not answer.", server=server),
            tr("What was committed before is kept."),
            tr("Check the connection and try again; the work goes on where it stopped."),
        )
    return None


def _unknown(uri: LibraryUri, text: str) -> UserError:
    first = re.sub(r"<[^>]*>", " ", text.split("\n")[0])[:300].strip()
    return UserError(
        tr("The object store can't do this for {uri}.", uri=uri),
        tr("It answered: {first}", first=first),
    )
