"""Where words come from, asked of every engine."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from cocadesk.engine.local import AnyEngine
from cocadesk.errors import UserError
from cocadesk.protocol.messages import (
    Describe,
    Description,
    Explain,
    Explained,
    GetRows,
    Keys,
    ListNewest,
    Rows,
)
from cocadesk.protocol.paths import WirePath
from tests.support.engines import EngineCase

WAIT_S = 60.0


@pytest.fixture
def key(client: AnyEngine) -> str:
    """A medium of the library."""
    return client.ask(ListNewest(), Keys, timeout_s=WAIT_S).keys[0]


def test_a_query_has_one_map_to_lay_over_the_photo(
    client: AnyEngine, case: EngineCase, key: str
) -> None:
    """Values of 0 to 1 in rows of one length, their hottest place, and a picture with alpha."""
    found = client.ask(Explain(key=key, text=case.query), Explained, timeout_s=WAIT_S)
    [heat] = found.heats
    assert len({len(row) for row in heat.grid}) == 1
    assert all(0 <= value <= 1 for row in heat.grid for value in row)
    assert all(0 < share < 1 for share in heat.peak)
    assert heat.layer is not None
    with Image.open(heat.layer.to_str()) as layer:
        assert layer.mode == "RGBA"
    assert found.sheet is None


def test_each_word_of_a_caption_that_says_something_has_a_map(client: AnyEngine, key: str) -> None:
    """In the caption's order, without "a" and "the"; maps of words are files of their own."""
    text = client.ask(Describe(key=key), Description, timeout_s=WAIT_S).caption or ""
    found = client.ask(Explain(key=key, text=text, is_caption=True), Explained, timeout_s=WAIT_S)
    told = [heat.text for heat in found.heats]
    assert told
    assert "a" not in told
    assert told == [word for word in text.split() if word in told]
    assert len({heat.layer for heat in found.heats}) == len(set(told))
    own = client.ask(Explain(key=key, is_caption=True), Explained, timeout_s=WAIT_S)
    assert [heat.text for heat in own.heats] == told


def test_a_sheet_is_written_where_nothing_is_yet(
    client: AnyEngine, key: str, tmp_path: Path
) -> None:
    """A file that is there stays as it is."""
    [row] = client.ask(GetRows(keys=(key,)), Rows, timeout_s=WAIT_S).rows
    sheet = tmp_path / "heat.jpg"
    body = Explain(path=row.path, text="red", sheet=WirePath.of(sheet))
    assert client.ask(body, Explained, timeout_s=WAIT_S).sheet == WirePath.of(sheet)
    written = sheet.read_bytes()
    with Image.open(sheet) as picture:
        assert min(picture.size) > 0
    with pytest.raises(UserError, match="is there already"):
        client.ask(body, Explained, timeout_s=WAIT_S)
    assert sheet.read_bytes() == written


def test_a_file_that_is_not_there_and_a_text_without_words_get_sentences(
    client: AnyEngine, key: str, tmp_path: Path
) -> None:
    """Not tracebacks."""
    nowhere = WirePath.of(tmp_path / "nowhere.jpg")
    with pytest.raises(UserError, match="cannot be read"):
        client.ask(Explain(path=nowhere, text="red"), Explained, timeout_s=WAIT_S)
    with pytest.raises(UserError, match="no words"):
        client.ask(Explain(key=key, text="  "), Explained, timeout_s=WAIT_S)
    with pytest.raises(UserError, match="no longer in the library"):
        client.ask(Explain(key="gone", text="red"), Explained, timeout_s=WAIT_S)
