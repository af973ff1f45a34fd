"""Lists of tags as text by themselves."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cocadesk.errors import UserError
from ui.vocabulary.text import load_file, read_tags, save_file, write_tags


def test_empty_lines_and_repeated_tags_are_left_out_and_counted() -> None:
    """Case and blanks make no other tag; the first spelling stays."""
    found = read_tags("Dog\n\n  red   bicycle \ndog\nDOG\n")
    assert found.tags == ("Dog", "red bicycle")
    assert (found.repeated, found.empty) == (2, 1)
    assert found.remark() == "2 tags · 2 duplicates and 1 empty line skipped"
    assert read_tags("").remark() == "0 tags"
    assert read_tags("a\na").remark() == "1 tag · 1 duplicate skipped"


@given(st.text(alphabet="aAß é\n\t\u00a0", max_size=60))
def test_cleaning_a_clean_list_changes_nothing(text: str) -> None:
    """Writing and reading again gives the same tags, with nothing to leave out."""
    tags = read_tags(text).tags
    again = read_tags(write_tags(tags))
    assert (again.tags, again.repeated, again.empty) == (tags, 0, 0)


def test_files_of_other_systems_are_read(tmp_path: Path) -> None:
    """A byte order mark and Windows' line ends are no part of a tag."""
    path = tmp_path / "tags.txt"
    path.write_bytes("\ufeffMöwe\r\nboat\r\n".encode())
    assert load_file(str(path)).tags == ("Möwe", "boat")


def test_lists_of_taggers_and_of_old_editors_are_read_and_said(tmp_path: Path) -> None:
    """As the command line reads them."""
    path = tmp_path / "tags.csv"
    path.write_text("tag_id,name,category,count\n1,boat,0,9\n2,gull,0,8\n")
    found = load_file(str(path))
    assert found.tags == ("boat", "gull")
    assert found.notes == ("It is a table: 2 tags are those of its column of names.",)
    path.write_bytes("小猫，小狗".encode("gbk"))
    assert load_file(str(path)).tags == ("小猫", "小狗")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\xff\xfe\x00", "not a text file"),
        (b"a\0b", "not a text file"),
        (b"x" * 5_000_000, "large"),
    ],
    ids=["bytes", "zeros", "large"],
)
def test_what_is_no_list_is_refused_in_a_sentence(tmp_path: Path, data: bytes, words: str) -> None:
    """A picture or a huge file is not taken for tags."""
    path = tmp_path / "tags.txt"
    path.write_bytes(data)
    with pytest.raises(UserError, match=words):
        load_file(str(path))
    with pytest.raises(UserError, match="cannot be read"):
        load_file(str(tmp_path / "missing.txt"))


def test_a_list_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """What was there stays where nothing can be written."""
    folder = tmp_path / "lists"
    folder.mkdir()
    path = folder / "tags.txt"
    save_file(str(path), ("boat", "Möwe"))
    assert path.read_text("utf-8") == "boat\nMöwe\n"
    with pytest.raises(UserError, match="cannot be written"):
        save_file(str(folder / "missing" / "tags.txt"), ("boat",))
    assert [left.name for left in folder.iterdir()] == ["tags.txt"]
