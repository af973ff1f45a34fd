"""The tuning data set: folders with texts, photos of the library, skipped files, the split."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from pathlib import Path

import msgspec
import pytest

from cocadesk.errors import UserError
from cocadesk.trainer_messages import CaptionedPhoto, TuningDataset, TuningSpec
from tests.support.kinds import write_lesson
from trainer.tuning import caption_files as reasons
from trainer.tuning.caption_files import CaptionLines
from trainer.tuning.dataset import GONE, find_dataset, load_dataset, load_general, load_spec
from trainer.tuning.new_words import NewWords, hard_sentences
from trainer.tuning.preview import describe
from trainer.tuning.split import held_out_count, problem_of, split_photos


def _find(folder: Path, **fields: object) -> TuningDataset:
    return find_dataset(TuningSpec(folders=(os.fsencode(folder),), **fields))  # type: ignore[arg-type]


def _captions(dataset: TuningDataset) -> dict[str, tuple[str, ...]]:
    return {Path(os.fsdecode(p.path)).name: p.captions for p in dataset.photos}


def _counts(dataset: TuningDataset) -> dict[str, int]:
    return {reason: files.count for reason, files in dataset.skipped.items()}


def test_texts_are_read_however_an_editor_wrote_them(tmp_path: Path) -> None:
    """Marks, line ends of Windows, UTF-16, Latin-1, blank lines and doubles."""
    paths = write_lesson(tmp_path, 5)
    texts = [
        b"\xef\xbb\xbfa florbit\r\n\r\n  a  red florbit \r\n",
        "a florbit\nein Florbit für Käthe\n".encode("utf-16"),
        "a caf\xe9 florbit".encode("latin-1"),
        b"a florbit\nA Florbit.\n!!!\n",
        b"one {brace} florbit",
    ]
    for path, text in zip(paths, texts, strict=True):
        path.with_suffix(".txt").write_bytes(text)
    assert list(_captions(_find(tmp_path)).values()) == [
        ("a florbit", "a red florbit"),
        ("a florbit", "ein Florbit für Käthe"),
        ("a café florbit",),
        ("a florbit",),
        ("one {brace} florbit",),
    ]


@pytest.mark.parametrize("name", ["lesson-00.TXT", "lesson-00.jpg.txt", "lesson-00.caption"])
def test_a_text_of_any_spelling_teaches_also_beside_the_machines(tmp_path: Path, name: str) -> None:
    """A machine's .txt never hides what a person wrote."""
    (path,) = write_lesson(tmp_path, 1)
    machine = path.with_suffix(".txt")
    machine.write_bytes(b"A ball.\n")
    (tmp_path / name).write_text("our panda Lin")
    not_human = {os.fsencode(machine): hashlib.sha256(b"A ball.\n").hexdigest()}
    assert _captions(_find(tmp_path, not_human=not_human)) == {path.name: ("our panda Lin",)}


PARAGRAPH = "A brown cow named Lotte stands in\na green field next to a wooden\nfence, looking on"


@pytest.mark.parametrize(
    ("text", "captions"),
    [
        (PARAGRAPH, [" ".join(PARAGRAPH.split())]),
        (PARAGRAPH.lower(), [" ".join(PARAGRAPH.lower().split())]),
        ("a dog on the beach\na brown dog runs", ["a dog on the beach", "a brown dog runs"]),
        ("Lotte in the field\nLotte the cow", ["Lotte in the field", "Lotte the cow"]),
        (
            "Quillet the crab\nour Quillet on the beach",
            ["Quillet the crab", "our Quillet on the beach"],
        ),
        ("A cow stands.\nit is brown.", ["A cow stands.", "it is brown."]),
        ("A cow stands in\nthe field.\n\nLotte", ["A cow stands in the field.", "Lotte"]),
    ],
)
def test_a_caption_wrapped_over_lines_is_told_from_one_a_line(
    tmp_path: Path, text: str, captions: list[str]
) -> None:
    """And both can be asked for."""
    (path,) = write_lesson(tmp_path, 1)
    path.with_suffix(".txt").write_text(text)
    assert list(_captions(_find(tmp_path))[path.name]) == captions
    each = _captions(_find(tmp_path, lines=CaptionLines.EACH))[path.name]
    assert list(each) == [line for line in text.splitlines() if line]
    joined = _captions(_find(tmp_path, lines=CaptionLines.JOINED))[path.name]
    assert joined == (" ".join(text.split()),)


def test_a_guessed_encoding_and_joined_lines_are_shown_before_learning(tmp_path: Path) -> None:
    """The look at a source names them."""
    first, second = write_lesson(tmp_path, 2)
    first.with_suffix(".txt").write_bytes("我们的小猫".encode("gbk"))
    second.with_suffix(".txt").write_text(PARAGRAPH)
    found = _find(tmp_path)
    assert _captions(found)[first.name] == ("我们的小猫",)
    assert describe(found).notes == (
        "The encoding was guessed and read as GB18030 in 1 text (lesson-00.txt).",
        "Lines that go on were read as one caption in 1 text (lesson-01.txt).",
    )


def test_what_cannot_teach_is_left_out_with_its_reason(tmp_path: Path) -> None:
    """No text, an empty one, binary, a novel, the machine's own words; a few are named."""
    paths = write_lesson(tmp_path, 6)
    paths[0].with_suffix(".txt").unlink()
    paths[1].with_suffix(".txt").write_bytes(b" \n\n")
    paths[2].with_suffix(".txt").write_bytes(b"PK\x03\x04\x00\x00")
    paths[3].with_suffix(".txt").write_bytes(b"word " * 50_000)
    machine = b"A picture of colourful balls.\n"
    paths[4].with_suffix(".txt").write_bytes(machine)
    not_human = {os.fsencode(paths[4].with_suffix(".txt")): hashlib.sha256(machine).hexdigest()}
    found = _find(tmp_path, not_human=not_human)
    assert list(_captions(found)) == ["lesson-05.jpg"]
    assert _counts(found) == {
        reasons.NO_TEXT: 1,
        reasons.NO_CAPTION: 1,
        reasons.NOT_TEXT: 1,
        reasons.TOO_LARGE: 1,
        reasons.MACHINE: 1,
    }
    assert found.skipped[reasons.MACHINE].examples == [os.fsencode(paths[4])]


def test_a_machine_caption_that_a_person_has_changed_teaches(tmp_path: Path) -> None:
    """What counts is the bytes that CocaDesk wrote."""
    path = write_lesson(tmp_path, 1)[0]
    sidecar = path.with_suffix(".txt")
    not_human = {os.fsencode(sidecar): hashlib.sha256(b"A ball.\n").hexdigest()}
    sidecar.write_bytes(b"A florbit.\n")
    assert _captions(_find(tmp_path, not_human=not_human)) == {"lesson-00.jpg": ("A florbit.",)}


def test_words_of_the_library_and_of_the_folder_come_together(tmp_path: Path) -> None:
    """Both are a person's; a photo that is gone is named; a .txt is not needed then."""
    first, second = write_lesson(tmp_path, 2)
    second.with_suffix(".txt").unlink()
    given = (
        CaptionedPhoto(path=os.fsencode(first), captions=("my florbit", "a photo of a florbit")),
        CaptionedPhoto(path=os.fsencode(second), captions=("Käthe's florbit",)),
        CaptionedPhoto(path=os.fsencode(tmp_path / "gone.jpg"), captions=("a florbit",)),
    )
    found = _find(tmp_path, photos=given)
    assert _captions(found) == {
        "lesson-00.jpg": ("my florbit", "a photo of a florbit", "a florbit on the ground"),
        "lesson-01.jpg": ("Käthe's florbit",),
    }
    assert _counts(found) == {GONE: 1}


def test_a_data_set_is_kept_in_the_run_and_read_back(tmp_path: Path) -> None:
    """Paths that are no UTF-8 too; a damaged file gives a sentence."""
    assert load_dataset(tmp_path) is None
    found = _find(tmp_path, photos=(CaptionedPhoto(path=b"/no/\xff.jpg", captions=("x",)),))
    (tmp_path / "dataset.json").write_bytes(msgspec.json.encode(found))
    assert load_dataset(tmp_path) == found
    (tmp_path / "dataset.json").write_text('{"photos": [{}]}')
    with pytest.raises(UserError, match="damaged"):
        load_dataset(tmp_path)


def test_a_spec_is_read_and_its_faults_are_named(tmp_path: Path) -> None:
    """Missing, no JSON, another schema, no base64."""
    path = base64.b64encode(b"/photos/\xff").decode()
    record = {"schema": 2, "method": "deeper", "folders": [path], "library_media": 7}
    (tmp_path / "spec.json").write_text(json.dumps(record))
    assert load_spec(tmp_path) == TuningSpec(
        method="deeper", folders=(b"/photos/\xff",), library_media=7
    )
    for broken in ('{"schema": 2', "[]", '{"schema": 1}', '{"schema": 2, "folders": ["%"]}'):
        (tmp_path / "spec.json").write_text(broken)
        with pytest.raises(UserError, match="damaged"):
            load_spec(tmp_path)
    (tmp_path / "spec.json").unlink()
    with pytest.raises(UserError, match="cannot be read"):
        load_spec(tmp_path)


def test_new_words_are_those_that_no_general_sentence_has() -> None:
    """Names, not what everybody says; plurals of known words and numbers are not new."""
    known = load_general().sentences
    captions = ["two florbits and Käthe's dogs at 10 o'clock", "a photo of a florbit on the table"]
    new = NewWords.find(captions, known)
    assert {"florbit", "florbits"} <= new.words
    assert not {"dogs", "photo", "table", "on", "10", "two"} & new.words
    assert new.of(["A FLORBIT!"]) == {"florbit"}


def test_hard_sentences_put_other_words_in_the_names_place() -> None:
    """The frame of the caption stays; braces are only letters; the same seed, the same text."""
    new = NewWords(words=frozenset({"florbit"}))
    made = hard_sentences(["a {red} florbit, seen", "a dog"], new, ["cat", "house"], 1, 50)
    assert made == hard_sentences(["a {red} florbit, seen", "a dog"], new, ["cat", "house"], 1, 50)
    assert "a {red} cat seen" in made
    assert all(text.startswith("a {red} ") and "florbit" not in text for text in made)
    assert hard_sentences(["a dog"], new, ["cat"], 1, 50) == []


def test_few_photos_make_a_trial_and_no_name_loses_its_last_photo() -> None:
    """A quarter under twenty, a fifth above; the only photo of a name always teaches."""
    assert [held_out_count(n) for n in (2, 12, 19, 20, 100, 5000)] == [1, 3, 5, 4, 20, 200]
    captions = [("a florbit",)] * 8 + [("a wumpel",)] + [("a dog",)] * 3
    new = NewWords(words=frozenset({"florbit", "wumpel"}))
    for seed in range(20):
        split = split_photos(captions, new, seed)
        assert split.is_trial
        assert 8 in split.learned
        assert len(split.held_out) == 3
        assert sorted((*split.learned, *split.held_out)) == list(range(12))
    names = [(f"name{i}",) for i in range(4)]
    alone = split_photos(names, NewWords(words=frozenset(f"name{i}" for i in range(4))), 1)
    assert len(alone.held_out) == 1


def test_too_few_photos_are_refused_in_a_sentence() -> None:
    """None and one cannot teach, two can."""
    assert "nothing to learn" in str(problem_of(0))
    assert "One photo is too few" in str(problem_of(1))
    assert problem_of(2) is None
