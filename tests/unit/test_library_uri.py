"""Addresses of libraries in an object store, their working folders and credentials."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from cocadesk.errors import UserError
from cocadesk.library.storage import storage_of
from cocadesk.library_uri import (
    Credentials,
    credentials,
    is_uri,
    parse_uri,
    shown_name,
    uri_of,
    working_folder,
)
from cocadesk.locations import library_folder

PHOTOS = "s3://my-bucket/photos"


@pytest.fixture(autouse=True)
def no_account(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever account the machine of the tests has is not there."""
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "PROFILE"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    for name in ("ENDPOINT_URL", "ENDPOINT_URL_S3", "REGION", "DEFAULT_REGION"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))


def test_an_address_has_a_bucket_and_a_name() -> None:
    """The name may have folders; without an endpoint it is Amazon's store."""
    uri = parse_uri("s3://my-bucket/of/mine/")
    assert (uri.bucket, uri.name, uri.endpoint) == ("my-bucket", "of/mine", "")
    assert str(uri) == "s3://my-bucket/of/mine"
    assert uri.server == "Amazon S3 in us-east-1"


def test_folders_are_no_addresses() -> None:
    """A drive's letter is none either."""
    assert is_uri(PHOTOS)
    assert not any(map(is_uri, ("/home/me/photos", "photos", r"C:\Photos", "s3", "a:b")))


def test_settings_come_from_the_address_before_the_variables(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The variables are those of Amazon's own tools."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://store.example.org/")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    uri = parse_uri(PHOTOS)
    assert (uri.endpoint, uri.region) == ("https://store.example.org", "eu-west-1")
    uri = parse_uri(f"{PHOTOS}?endpoint=http://localhost:9000&region=here")
    assert (uri.endpoint, uri.region) == ("http://localhost:9000", "here")


def test_settings_are_found_in_the_profile_of_amazons_tools(tmp_path: Path) -> None:
    """The default one, where no variable names another."""
    (tmp_path / "config").write_text("[default]\nregion = eu-north-1\nendpoint_url = https://x.y\n")
    uri = parse_uri(PHOTOS)
    assert (uri.endpoint, uri.region) == ("https://x.y", "eu-north-1")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("gs://bucket/photos", "can't be kept at gs://"),
        ("s3://bucket", "no address of a library"),
        ("s3:///photos", "no address of a library"),
        ("s3://bucket/photos?part=x", "s3://bucket/photos is no address of a library"),
        ("s3://key:hush@bucket/photos", "holds credentials"),
        ("s3://bucket/photos?secret_access_key=hush", "holds credentials"),
        ("s3://bucket/photos?endpoint=https://key:hush@store.example.org", "holds credentials"),
        ("s3://bucket/a%20b", "Choose a plain name"),
        ("s3://bucket/trip#1?endpoint=https://store.example.org", "Choose a plain name"),
        ("s3://bucket/of//mine", "Choose a plain name"),
        ("s3://bucket/of/../mine", "Choose a plain name"),
    ],
)
def test_what_is_no_address_is_refused_in_words(text: str, sentence: str) -> None:
    """Credentials in an address would be kept with it, and are not said again."""
    with pytest.raises(UserError, match=sentence) as refused:
        parse_uri(text)
    assert "hush" not in str(refused.value)


def test_credentials_in_the_endpoint_of_the_variables_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """They would be written beside the address, and said with every sentence on the store."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://key:hush@store.example.org")
    with pytest.raises(UserError, match="holds credentials") as refused:
        parse_uri(PHOTOS)
    assert "hush" not in str(refused.value)


def test_a_library_has_one_working_folder_on_a_machine_that_only_its_person_enters(
    tmp_path: Path,
) -> None:
    """Another library, and the same name in another store, have one of their own."""
    uri = parse_uri(PHOTOS)
    folder = working_folder(uri, tmp_path)
    assert working_folder(uri, tmp_path) == folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    others = ("s3://my-bucket/other", f"{PHOTOS}?endpoint=http://localhost:9000")
    assert len({folder, *(working_folder(parse_uri(o), tmp_path) for o in others)}) == 3


def test_a_working_folder_knows_whose_it_is(tmp_path: Path) -> None:
    """A plain folder is a library itself."""
    uri = parse_uri(f"{PHOTOS}?endpoint=http://localhost:9000")
    folder = working_folder(uri, tmp_path)
    assert uri_of(folder) == uri
    assert shown_name(folder) == PHOTOS
    assert uri_of(tmp_path) is None
    assert shown_name(tmp_path) == str(tmp_path)


def test_a_damaged_working_folder_says_what_to_remove(tmp_path: Path) -> None:
    """All in it can be made again."""
    folder = working_folder(parse_uri(PHOTOS), tmp_path)
    (folder / "library.uri.json").write_text("{")
    with pytest.raises(UserError, match="Remove its folder"):
        uri_of(folder)


def test_an_address_given_anew_mends_its_working_folder(tmp_path: Path) -> None:
    """A power cut may leave the note in it empty."""
    folder = working_folder(parse_uri(PHOTOS), tmp_path)
    (folder / "library.uri.json").write_bytes(b"")
    assert uri_of(working_folder(parse_uri(PHOTOS), tmp_path)) == parse_uri(PHOTOS)


def test_the_librarys_folder_may_be_an_address_everywhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As an option and in the variable."""
    monkeypatch.setenv("COCADESK_CACHE", str(tmp_path))
    monkeypatch.setenv("COCADESK_LIBRARY", PHOTOS)
    assert library_folder() == library_folder(PHOTOS) == working_folder(parse_uri(PHOTOS), tmp_path)
    assert library_folder("/home/me") == Path("/home/me")


def test_credentials_come_from_the_variables_together(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A token of the profile is not mixed with a key of the variables."""
    (tmp_path / "credentials").write_text(
        "[default]\naws_access_key_id = file\naws_secret_access_key = hidden\n"
        "aws_session_token = token\n[work]\naws_access_key_id = w\naws_secret_access_key = v\n"
    )
    assert credentials() == Credentials(key_id="file", secret="hidden", token="token")
    monkeypatch.setenv("AWS_PROFILE", "work")
    assert credentials() == Credentials(key_id="w", secret="v")
    monkeypatch.delenv("AWS_PROFILE")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "mine")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "own")
    assert credentials() == Credentials(key_id="mine", secret="own")


def test_a_process_goes_on_with_the_credentials_that_it_began_with(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What knows that the lease is ours stays one object, whatever the person sets later."""
    folder = working_folder(parse_uri(PHOTOS), tmp_path)
    with pytest.raises(UserError, match="no credentials"):
        storage_of(folder)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "mine")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "own")
    storage = storage_of(folder)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    assert storage_of(folder) is storage


def test_without_credentials_nobody_is_asked_for_any() -> None:
    """Amazon's tools would ask a service on the machine's own network."""
    with pytest.raises(UserError, match="AWS_ACCESS_KEY_ID"):
        credentials()


def test_credentials_are_not_shown_where_they_are_printed() -> None:
    """A log could hold them else."""
    shown = repr(Credentials(key_id="id", secret="hush", token="whisper"))
    assert "hush" not in shown
    assert "whisper" not in shown
