"""``cocadesk evaluate`` on shards as people have them: what is skipped is said."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from cocadesk.cli.errors import OK, USER_ERROR
from cocadesk.cli.measured_media import shard_files
from cocadesk.errors import UserError
from cocadesk.locations import text_vectors_folder
from cocadesk.model.tag_constants import TagConstants
from tests.support.program import invoked
from tests.support.tiny_model import write_tiny_checkpoint
from tests.support.tiny_shards import COLOURS, add, jpeg, write_shard


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model with random weights."""
    return write_tiny_checkpoint(tmp_path_factory.mktemp("model") / "tiny")


def test_where_no_picture_can_be_used_the_reasons_are_said(tmp_path: Path, model: Path) -> None:
    """Not only that there was none."""
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as tar:
        for name in ("0.jpg", "0.jpg", "0.txt", "1.txt"):
            add(tar, name, b"x")
    outcome = invoked("evaluate", "retrieval", path, "--model", model)
    assert outcome.code == USER_ERROR
    assert "2 x a sample whose key stands there twice" in outcome.err
    assert "1 x a text without a picture" in outcome.err


def test_a_shard_cut_short_is_not_measured_as_if_it_were_whole(tmp_path: Path, model: Path) -> None:
    """Half a set gives a better score."""
    path = write_shard(tmp_path / "a.tar", 12)
    with tarfile.open(path) as tar:
        middle = tar.getmembers()[12].offset
    path.write_bytes(path.read_bytes()[:middle])
    outcome = invoked("evaluate", "retrieval", path, "--model", model)
    assert outcome.code == USER_ERROR
    assert "cut short" in outcome.err


def test_an_encoding_that_was_guessed_is_said(tmp_path: Path, model: Path) -> None:
    """The captions are measured as they were read."""
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w") as tar:
        for number, rgb in enumerate(COLOURS.values()):
            add(tar, f"{number}.jpg", jpeg(rgb, number))
            add(tar, f"{number}.txt", f"我们的小猫 {number}".encode("gbk"))
    outcome = invoked("evaluate", "retrieval", path, "--model", model)
    assert outcome.code == OK, outcome.err
    assert "6 texts name no encoding and were read as GB18030" in outcome.err


def test_shards_are_named_by_braces_folders_and_files(tmp_path: Path) -> None:
    """One that is not there is said."""
    for name in ("s-008.tar", "s-009.tar", "s-010.tar"):
        (tmp_path / name).touch()
    named = shard_files([tmp_path / "s-{008..010}.tar"])
    assert [path.name for path in named] == ["s-008.tar", "s-009.tar", "s-010.tar"]
    assert shard_files([tmp_path]) == named
    with pytest.raises(UserError, match=r"s-011\.tar"):
        shard_files([tmp_path / "s-{008..011}.tar"])


@pytest.mark.parametrize("measure", ["retrieval", "captions"])
def test_a_sheet_to_look_through_is_written_beside_the_figures(
    tmp_path: Path, model: Path, measure: str
) -> None:
    """Each figure has an interval; the page holds every picture with its captions."""
    shard, sheet = write_shard(tmp_path / "a.tar", 6), tmp_path / "sheet.html"
    options = ("--model", model, "--sheet", sheet, "--json")
    document = invoked("evaluate", measure, shard, *options).document
    assert set(document["intervals"]) == set(document["metrics"])
    assert all(found["n"] == 6 for found in document["intervals"].values())
    page = sheet.read_text("utf-8")
    assert page.count("<article>") == 6
    assert "a red picture number 0." in page


def test_a_sheet_that_cannot_be_written_is_one_sentence(tmp_path: Path, model: Path) -> None:
    """After the figures, which are not lost."""
    shard = write_shard(tmp_path / "a.tar", 6)
    options = ("--model", model, "--sheet", tmp_path / "none" / "sheet.html")
    outcome = invoked("evaluate", "retrieval", shard, *options)
    assert outcome.code == USER_ERROR
    assert "sheet.html cannot be written" in outcome.err
    assert "text to photo R@1" in outcome.out


def test_captions_are_measured_as_the_options_say(tmp_path: Path, model: Path) -> None:
    """Style, search and number of pictures; what the model cannot do is one sentence."""
    styled = write_tiny_checkpoint(tmp_path / "styled", has_styles=True)
    shard = write_shard(tmp_path / "a.tar", 6)

    def measured(*options: str) -> tuple[int, float]:
        document = invoked(
            "evaluate", "captions", shard, "--model", styled, "--limit", "4", "--json", *options
        ).document
        return document["intervals"]["rouge_l"]["n"], document["metrics"]["rouge_l"]

    search = ("--beams", "2", "--length-penalty", "1", "--no-repeat", "2", "--no-repeat-phrases")
    assert measured() == measured("--style", "sentence")
    assert measured("--style", "alt-text", "--rerank", "2", *search)[0] == 4
    outcome = invoked("evaluate", "captions", shard, "--model", model, "--style", "short")
    assert outcome.code == USER_ERROR
    assert "It knows: sentence." in outcome.err


def test_captions_are_measured_with_the_openings_that_people_get(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only where the model brings constants of tags: its tags are embedded, unless told not to."""
    monkeypatch.setenv("COCADESK_CACHE", str(tmp_path / "cache"))  # another test may have its tags
    shard = write_shard(tmp_path / "a.tar", 2)
    plain, fitted = tmp_path / "plain", tmp_path / "fitted"
    write_tiny_checkpoint(plain, has_styles=True)
    write_tiny_checkpoint(fitted, has_styles=True, tagging=TagConstants(slope=2.0))

    def embeds_tags(folder: Path, *options: str) -> bool:
        before = set(text_vectors_folder().glob("*"))
        outcome = invoked("evaluate", "captions", shard, "--model", folder, *options)
        assert outcome.code == OK, outcome.err
        return set(text_vectors_folder().glob("*")) != before

    assert not embeds_tags(plain)
    assert not embeds_tags(fitted, "--no-openings")
    assert embeds_tags(fitted)


def test_photos_of_no_class_are_counted_where_none_is_given_them(
    tmp_path: Path, model: Path
) -> None:
    """With classes of two sizes, one that cannot be read and some that show something else."""
    for number, (folder, rgb) in enumerate(
        (("red", COLOURS["red"]), ("red", COLOURS["red"]), ("blue", COLOURS["blue"]))
    ):
        (tmp_path / "classes" / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / "classes" / folder / f"{number}.jpg").write_bytes(jpeg(rgb, number))
    others = tmp_path / "others"
    others.mkdir()
    for number, rgb in enumerate(COLOURS.values()):
        (others / f"{number}.jpg").write_bytes(jpeg(rgb, 50 + number))
    (others / "bad.jpg").write_bytes(b"")
    folders = (tmp_path / "classes", "--background", others)
    document = invoked("evaluate", "zeroshot", *folders, "--model", model, "--json").document
    assert (document["classes"], document["skipped"]) == (2, 1)
    assert set(document["metrics"]) == {"top1", "top5", "top1_macro", "background_untagged"}
    assert document["intervals"]["background_untagged"]["n"] == len(COLOURS)
    assert 0 <= document["metrics"]["background_untagged"] <= 100


def test_tags_of_plain_photos_are_measured_and_shown_without_captions(
    tmp_path: Path, model: Path
) -> None:
    """A folder and a file; what is no photo is counted. Every figure has an interval."""
    photos, sheet = tmp_path / "photos", tmp_path / "sheet.html"
    photos.mkdir()
    for number, rgb in enumerate(COLOURS.values()):
        (photos / f"{number}.jpg").write_bytes(jpeg(rgb, number))
    (photos / "bad.jpg").write_bytes(b"")
    options = ("--model", model, "--sheet", sheet, "--json")
    document = invoked("evaluate", "tags", photos, *options).document
    assert document["photos"] == len(COLOURS)
    assert document["skipped"] == 1
    assert set(document["metrics"]) == {"tags_per_photo", "right", "untagged"}
    assert set(document["intervals"]) == set(document["metrics"])
    page = sheet.read_text("utf-8")
    assert page.count("<article>") == len(COLOURS)
    one = invoked("evaluate", "tags", photos / "0.jpg", "--model", model)
    assert "tags a photo" in one.out
