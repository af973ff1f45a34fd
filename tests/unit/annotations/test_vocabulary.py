"""Vocabulary files, shipped, given or a library's own: tags, and files that are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from cocadesk.annotations.vocabulary import (
    has_custom_vocabulary,
    library_vocabulary,
    load_vocabulary,
    set_custom_vocabulary,
)
from cocadesk.errors import UserError
from cocadesk.resources import resource_path


def test_the_shipped_vocabulary_is_broad_and_tidy() -> None:
    """Five to seven hundred different lower-case tags, broad words among them, each once."""
    vocabulary = load_vocabulary()
    assert 550 <= len(vocabulary.tags) <= 700
    assert {"dog", "beach", "pizza", "bicycle", "wedding", "snow"} <= set(vocabulary.tags)
    assert {"animal", "vehicle", "musical instrument", "plant", "food"} <= set(vocabulary.tags)
    assert all(tag == tag.lower().strip() for tag in vocabulary.tags)
    lines = resource_path("vocabulary", "default.txt").read_text("utf-8").splitlines()
    tags = [line for line in lines if not line.startswith("#")]
    assert tuple(tags) == vocabulary.tags


def test_comments_empty_lines_and_repeated_tags_do_not_count(tmp_path: Path) -> None:
    """Spaces are tidied, a tag that comes again in other case is merged, order is kept."""
    file = tmp_path / "mine.txt"
    file.write_text("# my tags\n\n  red   barn \r\nDog\ndog\n\t\nRed barn\n")
    vocabulary = load_vocabulary(file)
    assert vocabulary.tags == ("red barn", "Dog")
    assert vocabulary.name == "mine"


def test_a_byte_order_mark_and_any_script_are_fine(tmp_path: Path) -> None:
    """Files from Windows editors begin with a mark; letters may be anyone's."""
    file = tmp_path / "tags.txt"
    file.write_bytes("\ufeffMädchen\n犬\nMa\u0308dchen\n".encode())
    assert load_vocabulary(file).tags == ("Mädchen", "犬")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no tags"),
        (b"# only this\n\n", "no tags"),
        (b"dog\0cat", "not a text file"),
        (b"tag_id,count\n1,20\n2,30\n", "table of 2 columns, and none of them is called “name”"),
        (b"1girl,0,4225150\nsolo,0,3515897\n", "table of 3 columns"),
        (b"\xef\xbb\xbf", "no tags"),
        (b" \t \r\n\xc2\xa0\n", "no tags"),
        (b"x" * 500, "longer than 200"),
        (b"#" * (4 * 2**20 + 1), "larger than 4 MB"),
        (b"\n".join(str(i).encode() for i in range(50_001)), "more than 50,000"),
    ],
)
def test_a_file_that_is_no_vocabulary_is_refused_with_the_reason(
    tmp_path: Path, content: bytes, why: str
) -> None:
    """The sentence says what is wrong, why, and what to do."""
    file = tmp_path / "bad.txt"
    file.write_bytes(content)
    with pytest.raises(UserError, match=why) as caught:
        load_vocabulary(file)
    assert "bad.txt" in caught.value.what
    assert "one tag a line" in caught.value.what_to_do


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    """The system's own reason is passed on."""
    with pytest.raises(UserError, match="No such file"):
        load_vocabulary(tmp_path / "nothing.txt")
    with pytest.raises(UserError, match="Is a directory"):
        load_vocabulary(tmp_path)


@pytest.mark.parametrize("codec", ["gbk", "utf-16", "utf-16-le", "utf-8-sig"])
def test_tags_are_read_in_the_encoding_that_they_have(tmp_path: Path, codec: str) -> None:
    """What was guessed is said."""
    file = tmp_path / "tags.txt"
    words = "我们的小猫\n" * (codec == "gbk") + "dog\nbeach\n"
    file.write_bytes(words.encode(codec))
    vocabulary = load_vocabulary(file)
    assert vocabulary.tags == tuple(words.split("\n")[:-1])
    guessed = {"gbk": "GB18030", "utf-16-le": "UTF-16"}
    assert vocabulary.notes == (
        (f"It was read as {guessed[codec]}, which is a guess.",) if codec in guessed else ()
    )


@pytest.mark.parametrize(
    ("content", "tags", "notes"),
    [
        ("dog, cat, beach, car\n", ("dog", "cat", "beach", "car"), 1),
        ("# mine\nred barn; dog;", ("red barn", "dog"), 1),
        ("狗，猫、车", ("狗", "猫", "车"), 1),
        ("Paris, France\nRome, Italy", ("Paris, France", "Rome, Italy"), 0),
    ],
)
def test_one_line_with_commas_is_split(
    tmp_path: Path, content: str, tags: tuple[str, ...], notes: int
) -> None:
    """Which is said. In a list of several lines a comma is part of its tag."""
    file = tmp_path / "tags.txt"
    file.write_text(content, "utf-8")
    vocabulary = load_vocabulary(file)
    assert vocabulary.tags == tags
    assert len(vocabulary.notes) == notes


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_a_taggers_table_is_read_by_its_column_of_names(tmp_path: Path, delimiter: str) -> None:
    """As the tables of the usual taggers are."""
    file = tmp_path / "selected_tags.csv"
    rows = ["tag_id,name,category,count", "9999999,general,9,807858", '470575,"1girl",0,4225150']
    file.write_text("\n".join(rows).replace(",", delimiter))
    vocabulary = load_vocabulary(file)
    assert vocabulary.tags == ("general", "1girl")
    assert vocabulary.notes == ("It is a table: 2 tags are those of its column of names.",)


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n", "\u2028", "\x0b"])
def test_lines_may_end_as_any_editor_ends_them(tmp_path: Path, end: str) -> None:
    """Old and new, and with or without one at the end."""
    file = tmp_path / "tags.txt"
    file.write_bytes(f"dog{end}cat".encode())
    assert load_vocabulary(file).tags == ("dog", "cat")


def test_a_hash_inside_a_tag_is_part_of_it_and_no_break_spaces_are_spaces(tmp_path: Path) -> None:
    """Only a line that begins with one is a comment."""
    file = tmp_path / "tags.txt"
    file.write_text("number #1\n  # no\nred\u00a0barn\n", "utf-8")
    assert load_vocabulary(file).tags == ("number #1", "red barn")


def test_tags_that_differ_by_case_in_any_script_are_one(tmp_path: Path) -> None:
    """The first spelling stays."""
    file = tmp_path / "tags.txt"
    file.write_text("Straße\nSTRASSE\nΣίσυφος\nΣΊΣΥΦΟΣ\n", "utf-8")
    assert load_vocabulary(file).tags == ("Straße", "Σίσυφος")


def test_a_tag_of_the_largest_length_is_taken(tmp_path: Path) -> None:
    """One letter more is not."""
    file = tmp_path / "tags.txt"
    file.write_text("x" * 200)
    assert load_vocabulary(file).tags == ("x" * 200,)
    file.write_text("x" * 201)
    with pytest.raises(UserError, match="longer than 200"):
        load_vocabulary(file)


def test_own_tags_take_the_place_of_the_shipped_ones_and_go_again(tmp_path: Path) -> None:
    """Tidied and each once, as in a file; none brings the shipped ones back."""
    assert library_vocabulary(tmp_path).tags == load_vocabulary().tags
    assert not has_custom_vocabulary(tmp_path)
    set_custom_vocabulary(tmp_path, [" red  barn ", "Dog", "dog", "two\nlines", ""])
    assert library_vocabulary(tmp_path).tags == ("red barn", "Dog", "two lines")
    assert (tmp_path / "vocabulary.txt").read_text("utf-8") == "red barn\nDog\ntwo lines\n"
    assert has_custom_vocabulary(tmp_path)
    set_custom_vocabulary(tmp_path, [])
    assert library_vocabulary(tmp_path).tags == load_vocabulary().tags


@pytest.mark.parametrize("tags", [["#hash"], ["  ", ""], ["x" * 300]])
def test_tags_that_cannot_be_used_leave_the_old_ones(tmp_path: Path, tags: list[str]) -> None:
    """A sentence, and the last good state is kept."""
    set_custom_vocabulary(tmp_path, ["dog"])
    with pytest.raises(UserError):
        set_custom_vocabulary(tmp_path, tags)
    assert library_vocabulary(tmp_path).tags == ("dog",)


def test_a_file_that_a_person_has_broken_is_named(tmp_path: Path) -> None:
    """The shipped tags do not silently take its place."""
    (tmp_path / "vocabulary.txt").write_bytes(b"caf\0\n")
    with pytest.raises(UserError, match=r"vocabulary\.txt"):
        library_vocabulary(tmp_path)
