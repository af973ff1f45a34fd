"""Draws the photos of the grid: the picture, how it stands to the selection, and its badges."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPen, QPixmap

from cocadesk.protocol.values import Hit, MediaKind, Row
from ui.kit.icons import Icon, pixmap
from ui.kit.image_loader import ImageLoader, Wanted
from ui.kit.texts import clock
from ui.kit.theme import SMALL_PX, colour
from ui.kit.translation import decimal, grouped, tr
from ui.library.check_mark import MARK_PX, draw_check
from ui.library.found_by import found_badge
from ui.library.grouping import GroupMark
from ui.library.results_model import ResultsModel

RADIUS_PX = 5
SELECTED_PX = 9
_COLOURS = ("accent", "accent_soft", "badge", "muted", "on_badge", "placeholder", "window")
ROOMY_PX = 110
TINY_PX = 70
BADGE_PX = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """A photo's place in the viewport and its state there."""

    rect: QRect
    is_selected: bool = False
    is_current: bool = False
    is_hovered: bool = False
    has_focus: bool = False


@dataclass(frozen=True, slots=True)
class Badge:
    """A short text or an icon, or both, for a corner of a picture."""

    text: str = ""
    icon: Icon | None = None


def check_middle(rect: QRect) -> QPointF:
    """The middle of the circle by which a photo is selected."""
    return QPointF(rect.left() + 7 + MARK_PX / 2, rect.top() + 7 + MARK_PX / 2)


def stack_corner(rect: QRect) -> QRect:
    """The corner of a photo where the number of its group stands: a click there opens it."""
    return QRect(rect.right() - 58, rect.bottom() - 30, 58, 30)


class TilePainter:
    """Draws one photo after another with the same painter."""

    def __init__(self, loader: ImageLoader) -> None:
        self._loader = loader
        self._painter = QPainter()
        self._ratio = 1.0

    def begin(self, painter: QPainter, row_px: int) -> None:
        """Draws with this painter from now on."""
        self._painter = painter
        self._ratio = painter.device().devicePixelRatioF()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        self._font = QFont(painter.font())
        self._font.setPixelSize(SMALL_PX - 1)
        self._font.setWeight(QFont.Weight.DemiBold)
        self._metrics = QFontMetrics(self._font)
        self._row_px = row_px
        self._colours = {name: colour(name) for name in _COLOURS}

    def draw(self, model: ResultsModel, position: int, tile: Tile) -> None:
        """Draws one photo; its row and picture are asked for where they are not here."""
        key = model.keys[position]
        row, mark = model.wanted_row(key), model.groups.mark(key)
        rect = tile.rect
        if mark is not None and mark.is_open:  # one ground under all of them
            self._painter.fillRect(rect.adjusted(-3, -3, 3, 3), self._colours["accent_soft"])
        if tile.is_selected:
            self._fill(rect.adjusted(-2, -2, 2, 2), "accent_soft", RADIUS_PX + 2)
            rect = rect.adjusted(SELECTED_PX, SELECTED_PX, -SELECTED_PX, -SELECTED_PX)
        self._picture(model, row, rect, tile.rect)
        if row is not None:
            self._badges(row, model.hit_of(key), mark, rect)
        self._state(tile, rect)

    def _picture(self, model: ResultsModel, row: Row | None, rect: QRect, whole: QRect) -> None:
        path = None if row is None else model.thumbnail_of(row)
        shown: QPixmap | None = None
        if row is not None and path is not None:
            ratio = self._ratio
            size = (max(1, round(whole.width() * ratio)), max(1, round(whole.height() * ratio)))
            shown = self._loader.tile(
                row.key, Wanted(path=path, size=size, radius_px=RADIUS_PX * ratio)
            )
        if shown is not None and not shown.isNull():
            if (shown.width(), shown.height()) == (rect.width(), rect.height()):
                self._painter.drawPixmap(rect.topLeft(), shown)
            else:
                self._painter.drawPixmap(rect, shown)
            return
        self._fill(rect, "placeholder", RADIUS_PX)
        if row is not None and (path is None or shown is not None):
            self._painter.setPen(self._colours["muted"])
            self._painter.setFont(self._font)
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWrapAnywhere
            self._painter.drawText(rect.adjusted(8, 8, -8, -8), int(flags), row.name)

    def _fill(self, rect: QRect, name: str, radius_px: int) -> None:
        self._painter.setPen(Qt.PenStyle.NoPen)
        self._painter.setBrush(self._colours[name])
        self._painter.drawRoundedRect(rect, radius_px, radius_px)

    # Badges -------------------------------------------------------------------------

    def _badges(self, row: Row, hit: Hit | None, mark: GroupMark | None, rect: QRect) -> None:
        """Below left what kind of file it is, below right its group, above right what one said."""
        if min(rect.width(), rect.height()) < TINY_PX - 20:
            return
        is_roomy = rect.width() >= ROOMY_PX and self._row_px >= ROOMY_PX
        kinds = kind_badges(row, hit, is_roomy)
        if is_roomy and (found := found_badge(hit)):
            kinds.append(Badge(found, Icon.SEARCH))
        self._row_of_badges(rect, kinds, is_above=False, is_right=False)
        if mark is not None and mark.is_head:
            text = f"{grouped(mark.number)}{' –' if mark.is_open else ''}"
            self._row_of_badges(rect, [Badge(text, Icon.STACK)], is_above=False, is_right=True)
        elif is_roomy and row.caption:
            icon = Icon.QUOTE if row.caption_by_person else Icon.SUGGESTED
            self._row_of_badges(rect, [Badge("", icon)], is_above=False, is_right=True)
        said = _said_badges(row, is_roomy)
        self._row_of_badges(rect, said, is_above=True, is_right=True)

    def _row_of_badges(
        self, rect: QRect, badges: list[Badge], *, is_above: bool, is_right: bool
    ) -> None:
        """Badges in one calm pill in a corner."""
        if not badges:
            return
        metrics, painter = self._metrics, self._painter
        room = rect.width() - 10
        widths = [
            (metrics.horizontalAdvance(badge.text) if badge.text else 0)
            + (14 if badge.icon else 0)
            + (3 if badge.icon and badge.text else 0)
            for badge in badges
        ]
        while badges and sum(widths) + 10 + 6 * (len(badges) - 1) > room:
            badges, widths = badges[:-1], widths[:-1]
        if not badges:
            return
        width = sum(widths) + 10 + 6 * (len(badges) - 1)
        left = rect.right() - 4 - width if is_right else rect.left() + 5
        top = rect.top() + 5 if is_above else rect.bottom() - 4 - BADGE_PX
        pill = QRectF(left, top, width, BADGE_PX)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._colours["badge"])
        painter.drawRoundedRect(pill, BADGE_PX / 2, BADGE_PX / 2)
        ink = self._colours["on_badge"]
        painter.setFont(self._font)
        painter.setPen(ink)
        x = left + 5
        for badge, wide in zip(badges, widths, strict=True):
            at = x
            if badge.icon is not None:
                shown = pixmap(badge.icon, ink.name(), 14, self._ratio)
                painter.drawPixmap(at, top + (BADGE_PX - 14) // 2, shown)
                at += 14 + (3 if badge.text else 0)
            if badge.text:
                place = QRect(at, top, wide, BADGE_PX)
                painter.drawText(place, int(Qt.AlignmentFlag.AlignVCenter), badge.text)
            x += wide + 6

    # The selection ------------------------------------------------------------------

    def _state(self, tile: Tile, rect: QRect) -> None:
        """A ring around the current photo; a check mark on selected ones."""
        painter = self._painter
        if tile.is_current:
            painter.setBrush(Qt.BrushStyle.NoBrush)
            around = QRectF(tile.rect).adjusted(-1, -1, 1, 1)
            painter.setPen(QPen(self._colours["window"], 4))
            painter.drawRoundedRect(around.adjusted(1.5, 1.5, -1.5, -1.5), RADIUS_PX, RADIUS_PX)
            painter.setPen(QPen(self._colours["accent" if tile.has_focus else "muted"], 3))
            painter.drawRoundedRect(around, RADIUS_PX + 1, RADIUS_PX + 1)
        if tile.is_selected:
            draw_check(painter, check_middle(tile.rect), is_on=True)
        elif tile.is_hovered and min(rect.width(), rect.height()) >= TINY_PX - 20:
            draw_check(painter, check_middle(tile.rect), is_on=False)


_PARTS = {"raw": "RAW", "video": "LIVE", "inside": "LIVE", "photo": "+1"}
_ROUGH = frozenset({
    "3fr", "arw", "cr2", "cr3", "crw", "dcr", "dng", "erf", "iiq", "kdc", "mef", "mos", "mrw",
    "nef", "nrw", "orf", "pef", "raf", "raw", "rw2", "rwl", "sr2", "srf", "srw", "x3f",
})  # fmt: skip
"""The endings of cameras' raw files that are read."""


def kind_badges(row: Row, hit: Hit | None, is_roomy: bool) -> list[Badge]:
    """A video's length, the other files of a photo, and a file that is not there."""
    badges = []
    if row.kind is MediaKind.VIDEO:
        badges.append(Badge(_video_text(row, hit) if is_roomy else "", Icon.PLAY_FILLED))
    elif row.name.lower().rpartition(".")[2] in _ROUGH:
        badges.append(Badge("RAW"))
    elif row.parts:
        texts = dict.fromkeys(_PARTS.get(part.role, part.role) for part in row.parts)
        badges += [Badge(text) for text in texts]
    if row.state != "present":
        badges.insert(0, Badge(_state_text(row.state) if is_roomy else "", Icon.OFFLINE))
    return badges


def _state_text(state: str) -> str:
    """Where a medium's file is, if it is not there."""
    return tr("missing") if state == "missing" else tr("offline")


def _said_badges(row: Row, is_roomy: bool) -> list[Badge]:
    """Favourite, flag and stars."""
    badges = [Badge("", Icon.HEART)] if row.favourite else []
    if row.flag in ("pick", "reject"):
        badges.append(Badge("", Icon.PICKED if row.flag == "pick" else Icon.REJECTED))
    if row.stars:
        badges.append(Badge(f"{row.stars}" if is_roomy else "", Icon.STAR))
    return badges


def _video_text(row: Row, hit: Hit | None) -> str:
    if row.duration_s is None:
        return tr("video")
    if row.duration_s < 1:
        return f"{decimal(row.duration_s)} s"
    length = clock(row.duration_s)
    return (
        tr("{time} of {length}", time=clock(hit.time_s), length=length)
        if hit and hit.time_s is not None
        else length
    )
