"""``cocadesk caption`` of loose files: the style that is asked for."""

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
