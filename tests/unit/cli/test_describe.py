"""``cocadesk caption`` of loose files: the style and the way of writing that are asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from cocadesk.cli.errors import OK, USER_ERROR
from tests.support.index_tools import write_photo
from tests.support.program import invoked
from tests.support.tiny_model import write_tiny_checkpoint


@pytest.mark.parametrize("has_styles", [True, False])
def test_a_style_is_written_where_the_model_knows_it(tmp_path: Path, has_styles: bool) -> None:
    """Else one sentence says which there are; sentences every model writes."""
    model = write_tiny_checkpoint(tmp_path / "model", has_styles=has_styles)
    photo = tmp_path / "a.jpg"
    write_photo(photo, 1)
    common = (photo, "--library", tmp_path / "none", "--model", model, "--json")
    plain = invoked("caption", *common)
    assert plain.code == OK, plain.err
    assert invoked("caption", "--style", "sentence", *common).document == plain.document
    other = invoked("caption", "--style", "alt-text", *common)
    if has_styles:
        assert other.document["results"] != plain.document["results"]
    else:
        assert other.code == USER_ERROR
        assert "in the style “alt text”.\nIt knows: sentence." in other.err


def test_each_option_of_captions_is_taken_and_an_empty_prompt_is_none(tmp_path: Path) -> None:
    """Words that begin them, drawn ones, and those that may not come again."""
    model = write_tiny_checkpoint(tmp_path / "model")
    photo = tmp_path / "a.jpg"
    write_photo(photo, 1)

    def written(*options: str) -> str:
        common = ("--library", tmp_path / "none", "--model", model, "--json")
        done = invoked("caption", photo, *options, *common)
        assert done.code == OK, done.err
        [result] = done.document["results"]
        return str(result["caption"])

    assert written("--prompt", "") == written()
    assert written("--prompt", "a dog").startswith("A dog")
    drawn = ("--temperature", "1.5", "--top-k", "40", "--top-p", "0.95", "--seed")
    assert written(*drawn, "1") != written(*drawn, "2")
    rules = ("--repetition-penalty", "5", "--no-repeat", "1", "--no-repeat-phrases")
    assert written("--min-tokens", "6", "--max-tokens", "9", *rules, "--length-penalty", "1")


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (("--prompt", "word " * 40), "too long"),
        (("--prompt", "x" * 5000), "too long"),
        (("--temperature", "-1"), "cannot be drawn"),
        (("--temperature", "nan"), "cannot be drawn"),
        (("--top-p", "0"), "cannot be drawn"),
        (("--seed", "-3"), "by the seed -3"),
        (("--repetition-penalty", "0"), "repetition penalty"),
        (("--min-tokens", "9", "--max-tokens", "4"), "cannot be so long"),
        (("--max-tokens", "4000"), "4000 tokens cannot be written"),
        (("--rerank", "inf"), "no number"),
    ],
)
def test_a_way_of_writing_that_cannot_be_has_its_sentence(
    tmp_path: Path, option: tuple[str, ...], said: str
) -> None:
    """Before anything is written."""
    model = write_tiny_checkpoint(tmp_path / "model")
    photo = tmp_path / "a.jpg"
    write_photo(photo, 1)
    common = ("--library", tmp_path / "none", "--model", model)
    done = invoked("caption", photo, *option, *common)
    assert done.code == USER_ERROR
    assert said in done.err
