"""The window's language: settled when this module is imported, before any text is made.

Other modules take ``tr`` and the like from here, never from below: texts at the top of a module
are translated when it is imported, and so the language holds until the next start.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, QLibraryInfo, QLocale, QTranslator

from cocadesk.errors import decimal, grouped, tr, tr_as, tr_count
from cocadesk.resources import LANGUAGE_VARIABLE, LANGUAGES, use_language
from ui.kit.preferences import Preference

__all__ = [
    "LANGUAGE",
    "choose_language",
    "day_name",
    "decimal",
    "grouped",
    "month_name",
    "tr",
    "tr_as",
    "tr_count",
    "translate_qt",
]

SYSTEM = ""
LANGUAGE = Preference("language", SYSTEM)
"""A code of ``LANGUAGES``, or ``SYSTEM``; holds from the next start."""


def choose_language(named: str, chosen: str, systems: Sequence[str]) -> str:
    """The variable's language, else the person's choice, else the system's first that we know.

    ``systems`` are the system's in order of preference, e.g. ``de-AT``; English without any.
    """
    wanted = [named, chosen, *(name.split("-")[0].split("_")[0] for name in systems)]
    return next((code for code in wanted if code in LANGUAGES), LANGUAGES[0])


def month_name(month: int, *, is_short: bool = False) -> str:
    """A month of 1 to 12 by its name."""
    form = QLocale.FormatType.ShortFormat if is_short else QLocale.FormatType.LongFormat
    return QLocale(language).monthName(month, form)


def day_name(weekday: int) -> str:
    """A day of the week, 1 (Monday) to 7, by its name."""
    return QLocale(language).dayName(weekday)


def translate_qt(app: QCoreApplication) -> None:
    """Gives Qt's own texts (buttons of dialogs, menus of fields) and dates the same language.

    The engine that the window starts gets it through the environment.
    """
    os.environ[LANGUAGE_VARIABLE] = language
    if language == LANGUAGES[0]:
        return
    QLocale.setDefault(QLocale(language))
    translator = QTranslator(app)
    folder = QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)
    if translator.load(f"qtbase_{language}", folder):
        app.installTranslator(translator)


language = choose_language(
    os.environ.get(LANGUAGE_VARIABLE, ""), LANGUAGE.read(), QLocale.system().uiLanguages()
)
use_language(language)
