"""The style sheet, filled from the theme; the only place with style text."""

from __future__ import annotations

import re
from dataclasses import asdict
from string import Template

from ui.kit.theme import RADIUS_PX, SMALL_PX, TITLE_PX, Theme

_SHEET = Template("""
* { outline: none; }
QMainWindow, QDialog { background: $window; }
QWidget { color: $text; }
QLabel { background: transparent; }
QLabel[role="muted"] { color: $muted; }
QLabel[role="search-note"] { color: $muted; padding: 2px 14px 6px 14px; }
QLabel[role="small"] { color: $muted; font-size: ${small_px}px; }
QLabel[role="title"] { font-size: ${title_px}px; font-weight: 600; }
QLabel[role="caption"] { font-size: 16px; }
QLabel[role="section"] { color: $muted; font-size: ${small_px}px; font-weight: 600; }
QLabel[role="key"] {
    background: $raised; border: 1px solid $line; border-radius: 4px;
    padding: 1px 6px; font-size: ${small_px}px;
}
QLabel[role="on-stage"] { color: $on_stage; font-size: 16px; }
QLabel[role="on-stage-bold"] { color: $on_stage; font-weight: 600; }
QLabel[role="on-stage-small"] { color: $on_stage; font-size: ${small_px}px; }
QLabel[role="best"] { background: $accent; color: $on_accent; border-radius: 5px;
    padding: 2px 7px; font-size: ${small_px}px; font-weight: 600; }
QLabel[role="link-badge"] { background: $stage_hover; color: $on_stage; border-radius: 5px;
    padding: 2px 7px; font-size: ${small_px}px; font-weight: 600; }
#header { background: $surface; border-bottom: 1px solid $line; }
QToolButton[role="tab"] { border-radius: ${radius}px; padding: 7px 10px; color: $muted; }
QToolButton[role="pages"] { border-radius: ${radius}px; padding: 7px 10px; font-weight: 600;
    background: $accent_soft; }
QToolButton[role="tab"][tight="true"] { padding: 7px 4px; }
QToolButton[role="tab"]:checked { background: $accent_soft; color: $text; font-weight: 600; }
QLabel[role="heading"] { font-size: 15px; font-weight: 600; }
QLabel[role="problem"] { color: $danger; }
QLabel[role="figure"] { font-size: 17px; color: $muted; }
QLabel[role="figure-new"] { font-size: 17px; font-weight: 600; }
QLabel[role="badge"] { background: $accent_soft; border-radius: 9px; padding: 1px 9px;
    font-size: ${small_px}px; }
QFrame[role="card"] { background: $surface; border: 1px solid $line; border-radius: 10px; }
QFrame[role="card"][chosen="true"] { border-color: $accent; }
#page-area, #page { background: $window; border: none; }
#side { background: $surface; border-right: 1px solid $line; }
#runs { background: transparent; border: none; }
#runs::item { padding: 6px 8px; border-radius: 6px; }
#runs::item:hover { background: $raised; }
#runs::item:selected { background: $accent_soft; color: $text; }
#drop-zone { background: $window; border: 1px dashed $muted; border-radius: ${radius}px; }
#drop-zone[over="true"] { border-color: $accent; background: $accent_soft; }
QPlainTextEdit { background: $surface; border: 1px solid $line; border-radius: ${radius}px;
    padding: 8px; selection-background-color: $accent; selection-color: $on_accent; }
QPlainTextEdit:focus { border-color: $accent; }
QCheckBox, QRadioButton { spacing: 8px; }
QCheckBox::indicator { width: 14px; height: 14px; border: 1px solid $muted; border-radius: 4px;
    background: $surface; }
QCheckBox::indicator:checked { background: $accent; border-color: $accent; }
QRadioButton::indicator { width: 14px; height: 14px; border: 1px solid $muted;
    border-radius: 8px; background: $surface; }
QRadioButton::indicator:checked { width: 6px; height: 6px; border: 5px solid $accent; }
QCheckBox::indicator:focus, QCheckBox::indicator:hover,
QRadioButton::indicator:focus, QRadioButton::indicator:hover { border-color: $accent; }
QCheckBox:focus, QRadioButton:focus { color: $accent; }
QCheckBox:disabled, QRadioButton:disabled { color: $muted; }
#library-line { background: $accent_soft; border-bottom: 1px solid $line; }
#results-line { background: $window; }
#detail { background: $surface; border-left: 1px solid $line; }
#detail QScrollArea, #detail QScrollArea > QWidget > QWidget { background: $surface; border: none; }
#job-strip { background: $surface; border-top: 1px solid $line; }
#jobs { background: $surface; border-top: 1px solid $line; }
#jobs QScrollArea, #jobs-content { background: $surface; border: none; }
QFrame[role="job"] { border: none; border-top: 1px solid $line;
    border-left: 3px solid transparent; }
QFrame[role="job"]:focus { background: $window; border-left: 3px solid $accent; }
QLabel[role="state"] { background: $raised; border-radius: 4px; padding: 2px 7px;
    color: $muted; font-size: ${small_px}px; font-weight: 600; }
#stage, #compare { background: $stage; }
#overlay { background: $badge; border-radius: ${radius}px; }
QFrame[role="pane"] { border: 2px solid transparent; border-radius: ${radius}px; }
QFrame[role="pane"][chosen="true"] { border-color: $on_stage; }
QTableView { background: $window; border: none; }
#groups { selection-background-color: transparent; }
#groups QHeaderView { background: $surface; border: none; }
#search {
    background: $window; border: 1px solid $line; border-radius: 18px;
    padding: 0 12px 0 8px; min-height: 36px; font-size: 15px;
    selection-background-color: $accent; selection-color: $on_accent;
}
#search[over="true"] { border: 2px dashed $accent; background: $accent_soft;
    padding: 0 11px 0 7px; min-height: 34px; }
#search:focus { border: 2px solid $accent; background: $surface; padding: 0 11px 0 7px;
    min-height: 34px; }
QLineEdit { background: $surface; border: 1px solid $line; border-radius: ${radius}px;
    padding: 0 10px; min-height: 34px;
    selection-background-color: $accent; selection-color: $on_accent; }
QLineEdit:focus { border-color: $accent; }
QPushButton {
    background: $surface; border: 1px solid $line; border-radius: ${radius}px;
    padding: 0 14px; min-height: 34px;
}
QPushButton:hover { background: $raised; }
QPushButton:focus { border-color: $accent; }
QPushButton:pressed { background: $line; }
QPushButton:disabled { color: $muted; }
QPushButton[role="primary"] { background: $accent; border-color: $accent; color: $on_accent;
    font-weight: 600; }
QPushButton[role="primary"]:disabled { background: $raised; border-color: $line;
    color: $muted; }
QPushButton[role="primary"]:hover { background: $accent_strong; border-color: $accent_strong; }
QPushButton[role="primary"]:focus { border: 2px solid $text; }
QPushButton[role="link"] { border: none; background: transparent; color: $accent;
    padding: 0 6px; min-height: 26px; }
QPushButton[role="link"]:disabled { color: $muted; }
QPushButton[role="link"]:hover, QPushButton[role="link"]:focus { text-decoration: underline; }
QToolButton { background: transparent; border: 1px solid transparent;
    border-radius: ${radius}px; padding: 6px; }
QToolButton:hover { background: $raised; }
QToolButton:focus { border-color: $accent; }
QToolButton::menu-indicator { image: none; width: 0; }
QToolButton[role="sort"] { padding: 4px 6px; color: $text; }
QToolButton[role="crumb"] { padding: 2px 5px; color: $accent; border: 1px solid transparent; }
QToolButton[role="crumb-here"] { padding: 2px 5px; color: $text; font-weight: 600;
    border: 1px solid transparent; }
QToolButton[role="crumb"]:focus, QToolButton[role="crumb-here"]:focus { border-color: $accent; }
QToolButton[role="plain-link"] { padding: 2px 6px; color: $accent; }
#chooser { background: $surface; border: 1px solid $line; border-radius: ${radius}px; }
QToolButton[role="stage"] { color: $on_stage; }
QToolButton[role="stage"]:hover { background: $stage_hover; }
QToolButton[role="stage"]:checked { background: $stage_hover; border-color: $on_stage; }
QToolButton[role="stage-text"] { color: $on_stage; font-weight: 600; padding: 4px 8px; }
QToolButton[role="stage-text"]:hover { background: $stage_hover; }
QToolButton[role="stage-word"] { color: $on_stage; padding: 4px 10px; border-radius: ${radius}px;
    border: 1px solid $stage_hover; }
QToolButton[role="stage-word"]:hover, QToolButton[role="stage-word"]:checked {
    background: $stage_hover; border-color: $on_stage; }
QToolButton[role="stage-word"]:checked { font-weight: 600; }
QToolButton[role="chip"] {
    background: $accent_soft; border: 1px solid transparent; border-radius: 13px;
    padding: 0 11px; min-height: 24px; max-height: 24px; color: $text;
}
QToolButton[role="chip"]:hover { border-color: $accent; }
QToolButton[role="chip"]:focus { border-color: $accent; }
QFrame[role="chip"] { background: transparent; border: 1px dashed $muted; border-radius: 14px;
    min-height: 26px; max-height: 26px; }
QFrame[role="chip"][own="true"] { background: $accent_soft; border: 1px solid transparent; }
QFrame[role="chip"]:hover { border: 1px solid $accent; }
QFrame[role="chip"]:focus { border: 2px solid $accent; }
QToolButton[role="chip-name"] { border: none; padding: 0 2px; background: transparent; }
QToolButton[role="chip-mark"] { border: none; border-radius: 9px; padding: 2px; }
QToolButton[role="chip-mark"]:hover { background: $line; }
QToolButton[role="chip-add"] { border: none; border-radius: 14px; padding: 0 4px;
    min-height: 28px; max-height: 28px; color: $accent; }
QToolButton[role="chip-add"]:focus { border: 1px solid $accent; }
QToolButton[role="review-tag"] { border: 1px dashed $muted; border-radius: 14px; padding: 0 10px;
    min-height: 26px; max-height: 26px; }
QToolButton[role="review-tag"]:checked { background: $accent_soft; border: 1px solid transparent; }
QToolButton[role="review-tag"][gone="true"] { color: $muted; border-color: $line;
    text-decoration: line-through; }
QToolButton[role="review-tag"]:hover { border: 1px solid $accent; }
#tag-field { min-height: 26px; max-height: 26px; border-radius: 14px; }
#tag-completions { background: $surface; border: 1px solid $line; }
#tag-completions::item { padding: 5px 8px; }
#caption-editor { background: $surface; border: 1px solid $accent; border-radius: ${radius}px;
    padding: 5px 6px; font-size: 16px;
    selection-background-color: $accent; selection-color: $on_accent; }
#moments { background: transparent; border: none; }
QComboBox { background: $surface; border: 1px solid $line; border-radius: ${radius}px;
    padding: 0 12px; min-height: 34px; }
QComboBox:focus { border-color: $accent; }
QComboBox::drop-down { border: none; width: 30px; }
QComboBox::down-arrow { width: 0; height: 0; border-left: 4px solid $surface;
    border-right: 4px solid $surface; border-top: 5px solid $muted; }
QComboBox QAbstractItemView { background: $surface; border: 1px solid $line; padding: 4px;
    selection-background-color: $accent_soft; selection-color: $text; }
QListView { background: $window; border: none; }
QTreeView { background: $surface; border: 1px solid $line; border-radius: ${radius}px;
    alternate-background-color: $window; }
QTreeView:focus { border-color: $accent; }
QTreeView::item { padding: 6px 4px; }
QTreeView::item:selected { background: $accent_soft; color: $text; }
QHeaderView { background: transparent; }
QHeaderView::section { background: transparent; border: none; border-bottom: 1px solid $line;
    padding: 8px 6px; color: $muted; font-size: ${small_px}px; }
QHeaderView::up-arrow, QHeaderView::down-arrow { image: none; width: 0; height: 0; }
#browse { background: $surface; border: none; border-radius: 0; padding: 4px 0 8px 0; }
#side-bar { background: $surface; border-right: 1px solid $line; }
#palette-list { border: none; }
#palette-list::item { padding: 8px 10px; }
#palette { background: $surface; border: 1px solid $line; border-radius: 12px; }
#notice { background: $text; border-radius: ${radius}px; }
QLabel[role="notice"] { color: $window; padding: 4px 0; }
QPushButton[role="notice"] { background: transparent; border: 1px solid transparent;
    color: $notice_link; font-weight: 600; padding: 0 10px; min-height: 26px; }
QPushButton[role="notice"]:hover, QPushButton[role="notice"]:focus { border-color: $notice_link; }
QProgressBar { background: $raised; border: none; border-radius: 3px; max-height: 6px;
    min-height: 6px; }
QProgressBar::chunk { background: $accent; border-radius: 3px; }
QSlider::groove:horizontal { background: $line; height: 4px; border-radius: 2px; }
QSlider::handle:horizontal { background: $muted; width: 14px; height: 14px; margin: -5px 0;
    border-radius: 7px; }
QSlider::handle:horizontal:hover, QSlider::handle:horizontal:focus { background: $accent; }
QMenu { background: $surface; border: 1px solid $line; border-radius: ${radius}px; padding: 6px; }
QMenu::item { padding: 7px 28px 7px 14px; border-radius: 5px; }
QMenu::item:selected { background: $accent_soft; color: $text; }
QMenu::item:disabled { color: $muted; }
QMenu::separator { height: 1px; background: $line; margin: 6px 8px; }
QToolTip { background: $raised; color: $text; border: 1px solid $line; padding: 5px 8px; }
QSplitter::handle { background: $line; }
QScrollBar:vertical { background: transparent; width: 12px; margin: 2px; }
QScrollBar::handle:vertical { background: $line; border-radius: 4px; min-height: 36px; }
QScrollBar::handle:vertical:hover { background: $muted; }
QScrollBar::add-line, QScrollBar::sub-line { height: 0; width: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
#grid { background: $window; border: none; }
#timeline { margin: 0; }
#date-bubble { background: $text; color: $window; border-radius: ${radius}px;
    padding: 6px 10px; font-weight: 600; }
QScrollBar:horizontal { background: transparent; height: 12px; margin: 2px; }
QScrollBar::handle:horizontal { background: $line; border-radius: 4px; min-width: 36px; }
""")


_TEXT = re.compile(r"(?<=font-size: )\d+(?=px)")
_ROOM = re.compile(r"(?<=min-height: )(?:26|3\d)(?=px)|(?<=padding: )[567](?=px)")
_COMPACT = 0.8


def stylesheet(theme: Theme, *, text_percent: int = 100, is_compact: bool = False) -> str:
    """The style sheet of the whole program in this theme.

    Texts have so many hundredths of their size; ``is_compact``: buttons, fields and lines of
    lists are lower.
    """
    sizes = {"radius": RADIUS_PX, "small_px": SMALL_PX, "title_px": TITLE_PX}
    sheet = _SHEET.substitute(asdict(theme), **sizes)
    sheet = _TEXT.sub(lambda found: str(round(int(found[0]) * text_percent / 100)), sheet)
    if is_compact:
        sheet = _ROOM.sub(lambda found: str(round(int(found[0]) * _COMPACT)), sheet)
    return sheet
