"""The page of models on the real engine and a hub on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from tests.support.real_window import opened
from tests.support.served_hub import SIZE, SmallHub, serving
from ui.kit.app_theme import AppTheme
from ui.models.offer_card import OfferCard
from ui.models.offer_state import Stage
from ui.models.page import ModelsPage
from ui.shell.pages import Pages

WAIT_MS = 150_000
GOOD = "open_clip:coca_ViT-B-32/laion2b_s13b_b90k"
REPOSITORY = "laion/CoCa-ViT-B-32-laion2B-s13B-b90k"

pytestmark = [pytest.mark.qt_log_ignore("propagateSizeHints"), pytest.mark.timeout(600)]


@pytest.fixture
def small_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SmallHub]:
    """A hub that has B-32 by name, its weights three million bytes of nothing."""
    with serving(tmp_path, monkeypatch, REPOSITORY) as small:
        monkeypatch.setenv("HF_ENDPOINT", small.address)
        yield small


def _go(card: OfferCard, qtbot: QtBot) -> None:
    qtbot.waitUntil(card.go.isVisible, timeout=WAIT_MS)
    qtbot.mouseClick(card.go, Qt.MouseButton.LeftButton)


def test_a_model_comes_from_the_hub_with_its_troubles_told_on_its_card(
    small_hub: SmallHub, app_theme: AppTheme, tmp_path: Path, qtbot: QtBot
) -> None:
    """No word to the hub before yes; a sentence where it has no such model; then it comes."""
    small_hub.fault(status=404, code="RepoNotFound")
    with opened(tmp_path / "library", app_theme, "--no-watching") as window:
        window.switcher.show(Pages.MODELS)
        page = window.switcher.built(Pages.MODELS)
        assert isinstance(page, ModelsPage)
        qtbot.waitUntil(lambda: GOOD in page.offers.cards, timeout=WAIT_MS)
        page.offers.stop_measuring()
        card = page.offers.cards[GOOD]
        _go(card, qtbot)
        host = small_hub.address.removeprefix("http://")
        assert f"over the network from {host}" in card.inquiry.text.text()
        assert small_hub.log == []
        qtbot.mouseClick(card.inquiry.answers[1], Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: bool(card.state.problem), timeout=WAIT_MS)
        assert card.problem.isVisible()
        assert card.go.text() == "Try again"
        assert any("/api/models/" in line for line in small_hub.log)
        small_hub.fault()
        _go(card, qtbot)
        qtbot.mouseClick(card.inquiry.answers[1], Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: card.state.stage is Stage.HERE, timeout=WAIT_MS)
        assert not card.problem.isVisible()
        assert small_hub.folder.is_dir()
        qtbot.mouseClick(card.drop, Qt.MouseButton.LeftButton)
        qtbot.mouseClick(card.inquiry.answers[0], Qt.MouseButton.LeftButton)
        qtbot.waitUntil(lambda: card.state.stage is Stage.ABSENT, timeout=WAIT_MS)
        assert sum(file.stat().st_size for file in small_hub.folder.rglob("*")) < SIZE
