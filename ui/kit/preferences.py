"""A person's choices about the window, kept for the next one: the door to ``QSettings``."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar, cast

from PySide6.QtCore import QByteArray, QSettings

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Choice:
    """A value as the file of settings has it, under its name there."""

    path: str
    text: str


class Preference(Generic[Value]):
    """One thing that is remembered, with its default; changes are written at once.

    Kept as JSON. What can't be read, or is of another kind than the default, counts as
    never chosen: a damaged file of settings costs nothing but the settings.
    """

    def __init__(self, name: str, default: Value, *, of: type | None = None) -> None:
        """``of`` is the type of what a list or a mapping (of texts) holds."""
        self.name = name
        self.default = default
        self._of = of

    def read(self, scope: str = "") -> Value:
        """The choice that was made last, else the default.

        ``scope`` is the name of a library (``library_name``) where each has a choice of its own.
        """
        text = _settings().value(self._path(scope))
        if not isinstance(text, str):
            return self.default
        try:
            return self._checked(json.loads(text))
        except (ValueError, RecursionError):
            return self.default

    def write(self, value: Value, scope: str = "") -> None:
        """Keeps a choice; where the file can't be written it holds for this time alone."""
        keep(self.choice(value, scope))

    def choice(self, value: Value, scope: str = "") -> Choice:
        """What ``keep`` writes together with others."""
        return Choice(self._path(scope), json.dumps(value))

    def reset(self, scope: str = "") -> None:
        """Forgets the choice: the default holds again."""
        settings = _settings()
        settings.remove(self._path(scope))
        settings.sync()

    def reset_everywhere(self) -> None:
        """Forgets the choices of all libraries."""
        settings = _settings()
        for name in settings.allKeys():
            if name.split("/")[-1] == self.name:
                settings.remove(name)
        settings.sync()

    def _checked(self, found: object) -> Value:
        """The value as it was written.

        Raises:
            ValueError: it is of another kind.
        """
        if isinstance(self.default, Enum):
            return cast(Value, type(self.default)(found))
        if type(found) is not type(self.default):
            raise ValueError(f"{self.name} is no {type(self.default).__name__}")
        parts: list[object] = []
        if self._of is not None and isinstance(found, dict | list):
            parts = list(found.values()) if isinstance(found, dict) else found
        if any(type(part) is not self._of for part in parts):
            raise ValueError(f"{self.name} holds something of another kind")
        return cast(Value, found)

    def _path(self, scope: str) -> str:
        return f"library-{scope}/{self.name}" if scope else self.name


def keep(*choices: Choice) -> None:
    """Writes the file of settings once for all of these, and not for what is as it was."""
    settings = _settings()
    others = [choice for choice in choices if settings.value(choice.path) != choice.text]
    for choice in others:
        settings.setValue(choice.path, choice.text)
    if others:
        settings.sync()


def carry_over(old: str, new: str) -> None:
    """Gives the library of the scope ``new`` all choices of ``old``, e.g. where it was moved."""
    settings = _settings()
    before, after = f"library-{old}/", f"library-{new}/"
    for name in settings.allKeys():
        if name.startswith(before):
            settings.setValue(after + name.removeprefix(before), settings.value(name))
    settings.sync()


def remembered(name: str, default: bool) -> bool:
    """The choice between yes and no that was made last, else the default."""
    return Preference(name, default).read()


def remember(name: str, value: bool) -> None:
    """Keeps a choice between yes and no, at once."""
    Preference(name, value).write(value)


def settings_file() -> str:
    """The path of the file that keeps all choices."""
    return _settings().fileName()


def as_text(data: QByteArray) -> str:
    """Bytes of Qt's, e.g. a window's geometry, as text that a preference can keep."""
    return bytes(data.toBase64().data()).decode("ascii")


def from_text(text: str) -> QByteArray:
    """The bytes of ``as_text``; of another text, some that Qt refuses."""
    return QByteArray.fromBase64(text.encode("ascii", "replace"))


def _settings() -> QSettings:
    scope = QSettings.Scope.UserScope
    return QSettings(QSettings.Format.IniFormat, scope, "cocadesk", "window")
