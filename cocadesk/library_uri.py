"""Addresses of libraries: those in an object store, with credentials, and those that were moved.

One in an object store is named by ``s3://BUCKET/NAME``. What can be made again of it (thumbnails
that were seen, files for quick searches) lies in a *working folder* in the user's cache, which
stands for the library wherever the program passes folders about. ``library.uri.json`` in it
says where the library is; credentials are never written, there or elsewhere.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from cocadesk.errors import UserError, tr

URI_FILE = "library.uri.json"
_SCHEME = "s3"
_REGION = "us-east-1"
_SETTINGS = ("endpoint", "region")
_IS_URI = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]+://")
_FOLDERS = "libraries"
MOVED_NAME = "moved.json"
"""The note in the old folder of a library that was moved: where it is now."""
_MOST_MOVES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryUri:
    """The address of a library in a store that speaks S3; ``endpoint`` "" is Amazon's own."""

    bucket: str
    name: str
    endpoint: str = ""
    region: str = _REGION

    def __str__(self) -> str:
        return f"{_SCHEME}://{self.bucket}/{self.name}"

    @property
    def server(self) -> str:
        """The store in words."""
        return self.endpoint or f"Amazon S3 in {self.region}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """The keys of an account; they are not shown where an object is printed."""

    key_id: str
    secret: str = field(repr=False)
    token: str = field(default="", repr=False)


def is_uri(text: str) -> bool:
    """True where a library is named by an address, not by a folder."""
    return _IS_URI.match(text) is not None


def parse_uri(text: str, settings: Mapping[str, str] | None = None) -> LibraryUri:
    """The address in ``s3://BUCKET/NAME?endpoint=URL&region=NAME``.

    Settings that it lacks are those of ``settings``, else of the AWS variables and files.

    Raises:
        UserError: it is none that a library can be at.
    """
    parts = urlsplit(text)
    bucket, name = parts.netloc, parts.path.strip("/")
    if parts.scheme != _SCHEME:
        raise UserError(
            tr("A library can't be kept at {scheme}://.", scheme=parts.scheme),
            tr("This program knows folders and stores that speak S3 (s3://BUCKET/NAME)."),
            tr("Give such an address, or a folder, with --library."),
        )
    given = dict(parse_qsl(parts.query))
    found = settings if settings is not None else _settings()
    chosen = {key: given.get(key) or found.get(key, "") for key in _SETTINGS}
    if "@" in bucket + chosen["endpoint"] or any(map(_is_secret, given)):
        raise UserError(
            tr("The library's address or endpoint holds credentials."),
            tr("They would be kept with it."),
            tr("Put them into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY instead."),
        )
    if "#" in text or (name and not _is_plain(name)):
        raise UserError(
            tr("No library can be kept under this address."),
            tr(
                "Its name holds %, # or a part that is empty, . or .., "
                "which not all programs read alike."
            ),
            tr("Choose a plain name, such as s3://my-bucket/photos."),
        )
    if not bucket or not name or given.keys() - set(_SETTINGS):
        raise UserError(
            tr("{address} is no address of a library.", address=text.partition("?")[0]),
            tr("It needs a bucket and a name in it, and may have an endpoint and a region."),
            tr("An example: s3://my-bucket/photos?endpoint=https://store.example.org"),
        )
    return LibraryUri(
        bucket=bucket,
        name=name,
        endpoint=chosen["endpoint"].rstrip("/"),
        region=chosen["region"] or _REGION,
    )


def _is_plain(name: str) -> bool:
    return "%" not in name and not {"", ".", ".."} & set(name.split("/"))


def _is_secret(setting: str) -> bool:
    return any(part in setting.lower() for part in ("secret", "key", "token", "password"))


def working_folder(uri: LibraryUri, cache: Path) -> Path:
    """The folder on this machine that stands for the library at ``uri``; made where missing."""
    mark = blake2b(f"{uri.endpoint} {uri}".encode(), digest_size=8).hexdigest()
    folder = cache / _FOLDERS / mark
    try:
        is_right = uri_of(folder) == uri
    except UserError:  # damaged, by a power cut perhaps: it is written anew
        is_right = False
    if not is_right:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = folder / f"{URI_FILE}.{os.getpid()}.tmp"
        draft.write_text(json.dumps(asdict(uri), indent=1), encoding="utf-8")
        draft.replace(folder / URI_FILE)
    return folder


def uri_of(folder: Path) -> LibraryUri | None:
    """The address of the library that ``folder`` stands for; None of a folder that is one."""
    file = folder / URI_FILE
    try:
        status = file.stat()
    except OSError:
        return None
    return _uri_in(file, status.st_mtime_ns)


@lru_cache
def _uri_in(file: Path, _mtime_ns: int) -> LibraryUri:
    try:
        return LibraryUri(**json.loads(file.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise UserError(
            tr("The file {file} can't be read.", file=file),
            tr("The reason: {error}.", error=error),
            tr("Remove its folder, which can be made again, and give --library s3://… anew."),
        ) from error


def shown_name(folder: Path) -> str:
    """The library as its person names it: by its address, else by its folder."""
    uri = uri_of(folder)
    return str(folder if uri is None else uri)


def credentials() -> Credentials:
    """The keys in the AWS variables, else in the file that Amazon's tools keep.

    Raises:
        UserError: there are none. Nobody is asked over the network for any.
    """
    found = {**_profile("AWS_SHARED_CREDENTIALS_FILE", "credentials"), **_of_environment()}
    key_id, secret = found.get("aws_access_key_id"), found.get("aws_secret_access_key")
    if not key_id or not secret:
        raise UserError(
            tr("There are no credentials for the object store."),
            tr(
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set, "
                "and ~/.aws/credentials has none."
            ),
            tr("Set them, then try again."),
        )
    return Credentials(key_id=key_id, secret=secret, token=found.get("aws_session_token", ""))


def _of_environment() -> dict[str, str]:
    """The keys of the environment: all of them or none, as they belong together."""
    names = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")
    found = {name: os.environ.get(name.upper(), "") for name in names}
    return found if found["aws_access_key_id"] else {}


def _settings() -> dict[str, str]:
    profile = _profile("AWS_CONFIG_FILE", "config")
    of = os.environ.get
    return {
        "endpoint": of("AWS_ENDPOINT_URL_S3")
        or of("AWS_ENDPOINT_URL")
        or profile.get("endpoint_url", ""),
        "region": of("AWS_REGION") or of("AWS_DEFAULT_REGION") or profile.get("region", ""),
    }


def _profile(variable: str, name: str) -> dict[str, str]:
    """The entries of the person's profile in one of the files that Amazon's tools keep."""
    import configparser  # not for those whose library is a folder

    file = Path(os.environ.get(variable) or Path("~/.aws").expanduser() / name).expanduser()
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read(file, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        return {}
    chosen = os.environ.get("AWS_PROFILE") or "default"
    for section in (chosen, f"profile {chosen}"):
        if parser.has_section(section):
            return dict(parser[section])
    return {}


def followed(folder: Path, *, must_be_there: bool = True) -> Path:
    """The folder itself, or that to which the library was moved from there.

    Raises:
        UserError: it was moved, and is not in its place now though it ``must_be_there``.
    """
    place = folder
    for _ in range(_MOST_MOVES):
        if (next_place := moved_to(place.expanduser())) is None:
            break
        place = next_place
    if must_be_there and place != folder and not (place / "library.json").is_file():
        raise UserError(
            tr("The library was moved to {place}, and is not there now.", place=place),
            tr("Perhaps its disk is not connected."),
            tr(
                "Connect it and try again, or open another library. To use what is left in "
                "{folder}, remove the file {moved_name} there.",
                folder=folder,
                moved_name=MOVED_NAME,
            ),
        )
    return place


def moved_to(folder: Path) -> Path | None:
    """The folder to which the library of this one was moved, or None."""
    try:
        note = json.loads((folder / MOVED_NAME).read_bytes())
        return Path(os.fsdecode(bytes.fromhex(note["to_hex"])))
    except (OSError, ValueError, KeyError, TypeError):
        return None
