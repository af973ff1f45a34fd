"""Text from files, made safe to store and show."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

Key = TypeVar("Key", int, str)

MAX_TEXT_CHARS = 64_000
MAX_KEYWORDS = 1_000

_CONTROL = {code: None for code in (*range(0x20), 0x7F) if code not in (0x09, 0x0A, 0x0D)}


@dataclass(frozen=True, slots=True)
class Texts(Generic[Key]):
    """The texts of a block of metadata by their property."""

    values: dict[Key, list[str]] = field(default_factory=dict)

    def first(self, key: Key) -> str | None:
        """The first value of a property."""
        return next(iter(self.all(key)), None)

    def all(self, key: Key) -> list[str]:
        """All values of a property that may repeat."""
        return self.values.get(key, [])


def clean_text(text: str | None) -> str | None:
    """The text without control characters and outer blanks; None where nothing is left."""
    if text is None:
        return None
    shown = text[:MAX_TEXT_CHARS].translate(_CONTROL).strip()
    return shown.encode("utf-8", "replace").decode() or None


def first_text(*candidates: str | None) -> str | None:
    """The first candidate of which ``clean_text`` leaves something."""
    return next((text for text in map(clean_text, candidates) if text), None)


def decode_text(raw: bytes) -> str:
    """Bytes up to the first zero: UTF-8 where they are that, else Windows' Latin-1."""
    raw = raw.split(b"\x00", 1)[0]
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("cp1252", "replace")


def clean_keywords(words: list[str]) -> tuple[str, ...]:
    """The keywords in their order, each once, without empty ones."""
    cleaned = (clean_text(word) for word in words[:MAX_KEYWORDS])
    return tuple(dict.fromkeys(word for word in cleaned if word))


def camera_name(make: str | None, model: str | None) -> str | None:
    """Make and model; the model alone where it begins with the make."""
    make, model = clean_text(make), clean_text(model)
    if make and model:
        return model if model.lower().startswith(make.split()[0].lower()) else f"{make} {model}"
    return model or make
