"""CLIP's tokenizer without open_clip; its ids are compared in test_open_clip_parity."""

from __future__ import annotations

import gzip
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cocadesk.errors import UserError
from cocadesk.model.tokenizers import clip as module
from cocadesk.model.tokenizers.byte_pairs import ClipTokenizer
from cocadesk.model.tokenizers.clip import clip_tokenizer
from cocadesk.model.tokenizers.load import load_tokenizer
from tests.support.architecture import ROOT

CLIP = clip_tokenizer()


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("Hello , World !", "hello, world!"),
        ("a man's t-shirt, black-and-white", "a man's t-shirt, black-and-white"),
        ("they don't (really) know: it's 2024", "they don't (really) know: it's 2024"),
        ('a sign that says "stop" at 3.5 km', 'a sign that says "stop" at 3.5 km'),
        ("café 日本 🐶", "café 日本 🐶"),
    ],
)
def test_a_decoded_caption_reads_as_people_write(text: str, written: str) -> None:
    """CLIP puts a space after every piece; before punctuation it is taken out."""
    assert CLIP.decode(CLIP.encode(text, 76)) == written


@given(st.text(st.characters(codec="utf-8"), max_size=40))
@settings(deadline=None)
def test_any_text_has_ids_in_the_vocabulary(text: str) -> None:
    """Begin, ids, end; decoding never fails."""
    ids = CLIP.encode(text, 76)
    assert ids[0] == CLIP.begin_id
    assert ids[-1] == CLIP.end_id
    assert all(0 <= number < CLIP.vocabulary for number in ids)
    assert isinstance(CLIP.decode(ids), str)


def test_a_lone_surrogate_is_no_error() -> None:
    """File names can bring one into a query."""
    assert CLIP.encode("dog \ud800", 76)[1] == CLIP.encode("dog", 76)[1]


def test_a_long_text_keeps_its_end_marker_at_place_75() -> None:
    """74 pieces fit between begin and end."""
    ids = CLIP.encode("dog " * 200, 76)
    assert len(ids) == 76
    assert ids[-1] == CLIP.end_id


def test_a_checkpoint_keeps_the_tokenizer_whole(tmp_path: Path) -> None:
    """Loaded from its file it is CLIP's again, with the same ids."""
    (tmp_path / "tokenizer.json").write_text(CLIP.to_json(), "utf-8")
    loaded = load_tokenizer(tmp_path / "tokenizer.json")
    assert isinstance(loaded, ClipTokenizer)
    text = "Two dogs' 24 tails, 日本 &amp; 🐶"
    assert loaded.encode(text, 76) == CLIP.encode(text, 76)


def test_open_clip_is_not_imported_for_its_data_file() -> None:
    """It would bring torchvision, which a CPU build of torch cannot load."""
    code = (
        "import sys; from cocadesk.model.tokenizers.clip import clip_tokenizer; "
        "clip_tokenizer().encode('a dog', 76); "
        "print(sorted({'open_clip', 'torch', 'torchvision'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "content",
    [b"no gzip", gzip.compress(b"too\nshort"), b""],
    ids=["no gzip", "too short", "empty"],
)
def test_a_damaged_vocabulary_is_named(tmp_path: Path, content: bytes) -> None:
    """A sentence says which file and what to do."""
    path = tmp_path / "bpe.txt.gz"
    path.write_bytes(content)
    with pytest.raises(UserError, match="CLIP's vocabulary"):
        module._read_merges(path)


def test_without_open_clip_the_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The data file comes with it."""
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="CLIP's vocabulary is missing"):
        module.data_file()
