"""The networks in use: the one that searches, and the one that captions where that is another."""

from __future__ import annotations

from enum import StrEnum

from cocadesk.protocol.base import Value


class ModelState(StrEnum):
    LOADING = "loading"
    READY = "ready"
    FAILED = "failed"


class CaptionStyle(StrEnum):
    """The kind of captions that a model makes: a sentence, a few words, or a screen reader's."""

    SENTENCE = "sentence"
    SHORT = "short"
    ALT_TEXT = "alt text"


class ModelPurpose(StrEnum):
    """The use of a model that is chosen: search alone, captions alone, or both."""

    SEARCH = "search"
    CAPTIONS = "captions"
    BOTH = "both"


class CaptionModelValue(Value, frozen=True):
    """The network that captions where another one searches; fields as in ``ModelValue``."""

    state: ModelState
    name: str = ""
    model_id: str = ""
    device: str = ""
    precision: str = ""
    reason: str = ""
    source: str = ""
    styles: tuple[CaptionStyle, ...] = (CaptionStyle.SENTENCE,)


class ModelValue(Value, frozen=True):
    """The network in use, where it runs and why there; ``source`` is what to open.

    ``styles`` are those in which captions are made. ``captions`` is the network that makes them
    where this one searches alone, None where it does both. ``are_tags_fitted``: the probabilities
    of tags and of hits were fitted to it; else they are a guess by those of the starter.
    """

    state: ModelState
    name: str = ""
    model_id: str = ""
    image_id: str = ""
    device: str = ""
    precision: str = ""
    reason: str = ""
    source: str = ""
    styles: tuple[CaptionStyle, ...] = (CaptionStyle.SENTENCE,)
    captions: CaptionModelValue | None = None
    are_tags_fitted: bool = True
