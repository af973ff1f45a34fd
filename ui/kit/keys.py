"""The keys that a person chose for actions, instead of those that they have by default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtGui import QKeySequence

from ui.kit.preferences import Preference

KEYS: Preference[dict[str, list[str]]] = Preference("keys", {}, of=list)
"""By an action's id; an empty list: it has no key."""
LETTERS = Preference("letter-keys", True)
"""Letters and digits alone are keys as well."""


class KeyChoices:
    """The choices as they are now; changes are kept at once."""

    def __init__(self) -> None:
        self._chosen: Mapping[str, list[str]] = KEYS.read()
        self.has_letters = LETTERS.read()

    def keys(self, name: str, defaults: Sequence[str]) -> tuple[str, ...]:
        """The keys that work for the action of this id now."""
        keys = self.given(name, defaults)
        return tuple(key for key in keys if self.has_letters or not is_letter(key))

    def given(self, name: str, defaults: Sequence[str]) -> tuple[str, ...]:
        """The keys that belong to the action, letters too while they are off."""
        chosen = self._chosen.get(name)
        keys = defaults if chosen is None else [key for key in chosen if isinstance(key, str)]
        return tuple(keys)

    def is_chosen(self, name: str) -> bool:
        """True where the action has other keys than by default."""
        return name in self._chosen

    def choose(self, name: str, keys: Sequence[str] | None) -> None:
        """Gives the action these keys; None: those that it has by default."""
        others = {other: list(old) for other, old in self._chosen.items() if other != name}
        self._chosen = others if keys is None else others | {name: list(keys)}
        KEYS.write(dict(self._chosen))

    def allow_letters(self, has_letters: bool) -> None:
        """Turns letters and digits alone on or off as keys."""
        self.has_letters = has_letters
        LETTERS.write(has_letters)

    def reset(self) -> None:
        """All keys as they are by default."""
        self._chosen = {}
        KEYS.reset()
        self.allow_letters(True)


def is_letter(key: str) -> bool:
    """True for a letter or digit without Ctrl or Alt."""
    return len(key) == 1 and key.isalnum()


def key_text(key: str) -> str:
    """A key as people read it."""
    return QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText)


def portable(keys: QKeySequence) -> str:
    """A key as it is kept."""
    return keys.toString(QKeySequence.SequenceFormat.PortableText)
