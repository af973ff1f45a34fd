"""Texts of people: every encoding is read, and one rule says which file is a photo's text."""

from __future__ import annotations

import codecs
import os
from pathlib import Path

import pytest

from cocadesk.texts.reading import NotTextError, read_text, text_of, texts_beside

WORDS = "Mädchen am Strand, 5 €"


@pytest.mark.parametrize(
    "data",
    [
        WORDS.encode(),
        WORDS.encode("utf-8-sig"),
        WORDS.encode("utf-16"),
        codecs.BOM_UTF16_BE + WORDS.encode("utf-16-be"),
        WORDS.encode("utf-32"),
    ],
)
def test_a_text_that_says_its_encoding_is_read_without_a_guess(data: bytes) -> None:
    """The mark decides and is no part of the text."""
    found = read_text(data)
    assert (found.text, found.guessed) == (WORDS, "")


def test_utf16_without_a_mark_is_read_and_said() -> None:
    """Some editors leave the mark out."""
    for codec in ("utf-16-le", "utf-16-be"):
        found = read_text(WORDS.encode(codec))
        assert (found.text, found.guessed) == (WORDS, "UTF-16")


@pytest.mark.parametrize(
    ("words", "codec", "name"),
    [
        ("我们的小猫", "gbk", "GB18030"),
        ("红色的汽车", "gb18030", "GB18030"),
        ("兩隻貓在沙發上", "big5", "Big5"),
        ("猫がソファで寝ている", "shift_jis", "Shift-JIS"),
        ("猫がソファで寝ている", "euc_jp", "EUC-JP"),
        ("고양이가 자고 있다", "euc_kr", "EUC-KR"),
        ("Два кота спят на диване", "cp1251", "Windows-1251"),
        ("Кот", "cp1251", "Windows-1251"),
        ("МАМА И ПАПА", "cp1251", "Windows-1251"),
        ("Наша кошка Мурка", "koi8_r", "KOI8-R"),
        ("Собака бежит по пляжу", "cp866", "CP866"),
        ("Γάτα στον καναπέ", "cp1253", "Windows-1253"),
        ("כלב שחור בחצר", "cp1255", "Windows-1255"),
        ("قطة على السرير", "cp1256", "Windows-1256"),
        ("Dziewczyna śpi na łóżku", "cp1250", "Windows-1250"),
        ("Günün son ışığı", "cp1254", "Windows-1254"),
        ("un café", "latin-1", "Windows-1252"),
        ("“It’s” – a crab", "cp1252", "Windows-1252"),
        ("Mädchen auf der Straße", "mac_roman", "Mac Roman"),
    ],
)
def test_a_caption_from_before_unicode_is_guessed_and_said(
    words: str, codec: str, name: str
) -> None:
    """A few letters are enough, in the encodings that people's old files have."""
    found = read_text(words.encode(codec))
    assert (found.text, found.guessed) == (words, name)


def test_one_wrong_byte_does_not_turn_a_whole_utf8_text_into_another_encoding() -> None:
    """The rest is worth more than the byte."""
    found = read_text("日本の海と山と空".encode() + b"\xff")
    assert found.text.startswith("日本の海と山と空")
    assert found.guessed == "UTF-8 with errors"


def test_lines_may_end_as_old_macs_and_windows_end_them() -> None:
    """A mark within, of files that were put together, goes too."""
    assert read_text(b"one\rtwo\r\nthree\n").text == "one\ntwo\nthree\n"
    assert read_text("\ufeffone\n\ufefftwo".encode()).text == "one\ntwo"


@pytest.mark.parametrize("data", [b"PK\x03\x04\x00\x00", bytes(range(1, 32)) * 9, b"\xff\xfea"])
def test_what_is_no_text_is_refused(data: bytes) -> None:
    """An archive, controls, half a letter."""
    with pytest.raises(NotTextError):
        read_text(data)


def _text(folder: Path, photo: str, machine: str = "") -> str | None:
    """The name of a photo's text; ``machine`` is the one that a machine wrote."""
    found = text_of(os.fsencode(folder / photo), lambda path: path == os.fsencode(folder / machine))
    return None if found is None else Path(os.fsdecode(found)).name


@pytest.mark.parametrize(
    ("photo", "text"),
    [
        ("crab.jpg", "crab.txt"),
        ("UPPER.JPG", "UPPER.TXT"),
        ("crab.jpg", "crab.Txt"),
        ("crab.jpg", "crab.jpg.txt"),
        ("crab.jpg", "crab.jpg.TXT"),
        ("koala.jpg", "koala.caption"),
        ("koala.jpg", "koala.jpg.caption"),
        ("a.b.jpg", "a.b.txt"),
        ("IMG_1.JPG", "img_1.txt"),
    ],
)
def test_every_spelling_of_a_photos_text_is_found(tmp_path: Path, photo: str, text: str) -> None:
    """Endings in any case, behind the photo's whole name too, and kohya's."""
    for name in (photo, text, "other.txt"):
        (tmp_path / name).write_text("x")
    assert _text(tmp_path, photo) == text


def test_a_text_of_another_spelling_that_is_another_photos_is_not_taken(tmp_path: Path) -> None:
    """a.txt belongs to a.jpg, not to A.jpg."""
    for name in ("A.jpg", "a.jpg", "a.txt"):
        (tmp_path / name).write_text("x")
    assert _text(tmp_path, "a.jpg") == "a.txt"
    assert _text(tmp_path, "A.jpg") is None


def test_of_several_texts_the_persons_is_the_photos(tmp_path: Path) -> None:
    """Where there is none but the machine's, it is the machine's."""
    for name in ("a.jpg", "a.txt", "a.jpg.txt", "a.caption"):
        (tmp_path / name).write_text("x")
    assert _text(tmp_path, "a.jpg") == "a.txt"
    assert _text(tmp_path, "a.jpg", machine="a.txt") == "a.jpg.txt"
    (tmp_path / "a.jpg.txt").unlink()
    (tmp_path / "a.caption").unlink()
    assert _text(tmp_path, "a.jpg", machine="a.txt") == "a.txt"
    assert texts_beside(os.fsencode(tmp_path / "no" / "such.jpg")) == []
