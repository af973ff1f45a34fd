"""The plot of a run by itself."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from ui.kit.app_theme import AppTheme
from ui.kit.theme import DARK, LIGHT
from ui.teach.curve import Curve, Line

WAIT_MS = 30_000

# Only the screenless platform says this, of every window of its own.
pytestmark = pytest.mark.qt_log_ignore("propagateSizeHints")


def _curve(qtbot: QtBot) -> Curve:
    lines = (Line(name="mine", colour="accent"), Line(name="other", colour="muted", has_marks=True))
    curve = Curve("A curve", lines, values=(0.0, 100.0))
    qtbot.addWidget(curve)
    return curve


def test_points_that_come_before_the_plot_are_shown_by_it(
    app_theme: AppTheme, qtbot: QtBot
) -> None:
    """Loading the library takes a moment; nothing that came meanwhile is lost."""
    curve = _curve(qtbot)
    curve.set_points({"mine": [(1, 10.0), (2, 30.0)]})
    assert not curve.is_drawn
    curve.show()
    qtbot.waitUntil(lambda: curve.is_drawn, timeout=WAIT_MS)
    xs, ys = curve.plotted["mine"].getData()
    assert (list(xs), list(ys)) == ([1, 2], [10.0, 30.0])
    curve.set_points({"other": [(1, 50.0)]})
    assert curve.points()["mine"] == [(1, 10.0), (2, 30.0)]
    assert curve.accessibleDescription() == "mine 30.00, other 50.00"
    low, high = curve.plot.viewRange()[1]
    assert (low, high) == pytest.approx((0.0, 100.0), abs=10)


def test_a_plot_takes_the_colours_of_another_theme(app_theme: AppTheme, qtbot: QtBot) -> None:
    """While it is shown, and before."""
    curve = _curve(qtbot)
    app_theme.toggle()
    curve.show()
    qtbot.waitUntil(lambda: curve.is_drawn, timeout=WAIT_MS)
    assert curve.plot.backgroundBrush().color() == DARK.colour("surface")
    app_theme.toggle()
    assert curve.plot.backgroundBrush().color() == LIGHT.colour("surface")
