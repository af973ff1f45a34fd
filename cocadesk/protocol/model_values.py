"""Models as people see them: those that this machine has, and those that it may fetch."""

from __future__ import annotations

from cocadesk.protocol.base import Value


class RecallValue(Value, frozen=True):
    """How often the photo that a caption was written for is the first found, or among five.

    Shares of 0 to 1, of the photos of one test set: ``data`` names it. Only figures of the same
    set can be compared. ``is_ours``: measured by CocaDesk's makers, else published by others.
    """

    data: str
    at_1: float
    at_5: float
    is_ours: bool = False


class ModelEntry(Value, frozen=True):
    """A model that can be used: where it comes from, and whether it searches or captions now.

    ``source`` is what ``model use`` takes. ``coverage`` is the share of the
    library's media that it has vectors for. ``is_removable``: ``RemoveModel`` takes it.
    ``photos_per_second`` and ``seconds_for_library`` (for what it has not read yet) are None
    where that was not measured on this machine.
    """

    source: str
    name: str
    model_id: str = ""
    image_id: str = ""
    is_used: bool = False
    is_used_for_captions: bool = False
    size_bytes: int = 0
    coverage: float = 0.0
    note: str = ""
    is_for_search: bool = True
    is_for_captions: bool = True
    is_removable: bool = False
    photos_per_second: float | None = None
    seconds_for_library: float | None = None


class ModelOffer(Value, frozen=True):
    """A model that is offered for choice, whether it is on this machine or not.

    ``title`` is the choice in a few words, ``good_for`` a sentence on what it does better.
    ``size_bytes`` is what is fetched, ``needs_bytes`` the room on the disk that is still needed
    in all until it can be used; ``fetched_bytes`` are here of a fetching that has not ended.
    ``job_id`` is the job that fetches it or switches to it, while that waits, runs or is paused;
    ``is_awaited``: a switch waits for that. ``problem`` is the sentence of a fetching that has
    failed, until there is a new one. ``photos_per_second``, ``seconds_for_library``, ``is_used``,
    ``is_used_for_captions`` and ``coverage`` as in ``ModelEntry``; ``listed_as`` is the source of
    that, where there is one. ``free_bytes``: the room on the disk where it would lie.
    ``fetched_from`` is the host that it comes from.
    """

    source: str
    name: str
    title: str
    good_for: str
    size_bytes: int
    needs_bytes: int = 0
    is_here: bool = False
    fetched_bytes: int = 0
    is_for_search: bool = True
    is_for_captions: bool = True
    recall: tuple[RecallValue, ...] = ()
    photos_per_second: float | None = None
    seconds_for_library: float | None = None
    job_id: str = ""
    problem: str = ""
    is_awaited: bool = False
    is_used: bool = False
    is_used_for_captions: bool = False
    coverage: float = 0.0
    listed_as: str = ""
    free_bytes: int | None = None
    fetched_from: str = ""
