"""Contrast of texts, icons and focus rings, measured in both themes (WCAG 2.2: 1.4.3, 1.4.11)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtGui import QColor

from tests.support.contrast import READABLE, VISIBLE, SheetRule, contrast, over, rules_of
from ui.kit.stylesheet import stylesheet
from ui.kit.theme import DARK, LIGHT, Theme

THEMES = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])

PAGE = ("window", "surface", "raised", "accent_soft", "placeholder")
STAGE = ("stage", "badge")
GROUNDS = {"on-stage": STAGE, "stage": STAGE, "notice": ("text",), "link-badge": ("stage",)}
"""What lies under a text whose rule and base have no ground of their own, by its role."""
FRAMES = ("#stage", "#compare", "#notice", "#overlay")
"""Rules of frames whose texts all have a role of their own."""


def _grounds(rule: SheetRule, bases: dict[str, SheetRule], theme: Theme) -> list[QColor]:
    own = [one.colour("background") for one in (rule, bases.get(rule.base)) if one is not None]
    found = [one for one in own if one is not None]
    names = next((GROUNDS[role] for role in GROUNDS if f'="{role}' in rule.selector), PAGE)
    white = QColor("white")  # a badge lies on photos: the brightest is the worst
    under = [over(theme.colour(name), white) for name in names]
    if found and found[0].alpha():
        return [over(found[0], one) for one in under]
    return under


def _texts(theme: Theme) -> Iterator[tuple[str, QColor, list[QColor]]]:
    """Each rule with the colour of its text and what lies under it."""
    rules = list(rules_of(stylesheet(theme)))
    bases = {rule.selector: rule for rule in rules}
    for rule in rules:
        if "::" in rule.selector or rule.selector in FRAMES:
            continue
        base = bases.get(rule.base)
        text = rule.colour("color") or (base.colour("color") if base is not None else None)
        if text is None and rule.colour("background") is None:
            continue
        yield rule.selector, text or theme.colour("text"), _grounds(rule, bases, theme)
        if (chosen := rule.colour("selection-color")) is not None:
            ground = rule.colour("selection-background-color")
            assert ground is not None
            yield f"{rule.selector} selection", chosen, [ground]


@THEMES
def test_each_text_of_the_style_sheet_stands_out(theme: Theme) -> None:
    """At least 4.5 : 1 over all that can lie under it; 3 : 1 where it can't be acted on."""
    texts = list(_texts(theme))
    assert len(texts) > 60
    weak = [
        f"{selector}: {text.name()} on {ground.name()} {contrast(text, ground):.2f}"
        for selector, text, grounds in texts
        for ground in grounds
        if contrast(text, ground) < (VISIBLE if ":disabled" in selector else READABLE)
    ]
    assert not weak, "\n".join(weak)


@THEMES
def test_each_ring_of_the_focus_stands_out(theme: Theme) -> None:
    """At least 3 : 1 to what lies around it."""
    rings = [
        (rule.selector, ring)
        for rule in rules_of(stylesheet(theme))
        if ":focus" in rule.selector
        for ring in [_border(rule)]
        if ring is not None
    ]
    assert len(rings) > 10
    weak = [
        f"{selector}: {ring.name()} on {name}"
        for selector, ring in rings
        for name in (("text",) if '"notice"' in selector else PAGE[:3])
        if contrast(ring, theme.colour(name)) < VISIBLE
    ]
    assert not weak, "\n".join(weak)


def _border(rule: SheetRule) -> QColor | None:
    written = rule.declarations.get("border", "").split()
    found = rule.colour("border-color") or QColor(written[-1] if written else "")
    return found if found is not None and found.isValid() else None
