"""Contrast as WCAG 2.2 defines it, of colours, of a style sheet's rules and of what is drawn."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from PySide6.QtGui import QColor, QImage

READABLE = 4.5
VISIBLE = 3.0

_RULE = re.compile(r"([^{}]+)\{([^}]*)\}")
_STATE = re.compile(r"(?<!:):[a-z-]+")


def luminance(colour: QColor) -> float:
    """The relative luminance of an opaque colour, of 0 to 1."""
    parts = (_linear(colour.redF()), _linear(colour.greenF()), _linear(colour.blueF()))
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def contrast(one: QColor, other: QColor) -> float:
    """The contrast ratio of two opaque colours, of 1 to 21."""
    dark, bright = sorted((luminance(one), luminance(other)))
    return (bright + 0.05) / (dark + 0.05)


def over(colour: QColor, ground: QColor) -> QColor:
    """The opaque colour that a translucent one makes on a ground."""
    share = colour.alphaF()
    pairs = zip(_rgb(colour), _rgb(ground), strict=True)
    return QColor(*(round(share * top + (1 - share) * below) for top, below in pairs))


def _rgb(colour: QColor) -> tuple[int, int, int]:
    return colour.red(), colour.green(), colour.blue()


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetRule:
    """One selector of a style sheet with its declarations; colours as they are written."""

    selector: str
    declarations: dict[str, str]

    @property
    def base(self) -> str:
        """The selector without states such as ``:hover``."""
        return _STATE.sub("", self.selector)

    def colour(self, *names: str) -> QColor | None:
        """The first of these declarations that names a colour."""
        for name in names:
            found = QColor(self.declarations.get(name, ""))
            if found.isValid():
                return found
        return None


def rules_of(sheet: str) -> Iterator[SheetRule]:
    """All rules of a style sheet, one for each of their selectors."""
    for selectors, body in _RULE.findall(sheet):
        pairs = (line.partition(":") for line in body.split(";") if ":" in line)
        declarations = {name.strip(): value.strip() for name, _, value in pairs}
        for selector in selectors.split(","):
            yield SheetRule(selector=" ".join(selector.split()), declarations=declarations)


def ground_of(image: QImage) -> QColor:
    """The colour that most pixels of an image have."""
    pixels = Counter(image.pixel(x, y) for y in range(image.height()) for x in range(image.width()))
    return QColor(pixels.most_common(1)[0][0])
