"""Vocabulary files: what counts as a tag and which files are refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from cocadesk.annotations import load_vocabulary
from cocadesk.errors import UserError


def test_the_shipped_vocabulary_is_broad_and_tidy() -> None:
    """Three to four hundred different lower-case tags."""
    vocabulary = load_vocabulary()
    assert 300 <= len(vocabulary.tags) <= 400
    assert {"dog", "beach", "pizza", "bicycle", "wedding", "snow"} <= set(vocabulary.tags)
    assert all(tag == tag.lower().strip() for tag in vocabulary.tags)


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
        (b"dog\n\xff\xfe\n", "Byte 4 is not UTF-8"),
        (b"dog\0cat", "not a text file"),
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
