"""The messages about tags as a whole: their numbers, and renaming or removing one everywhere.

Upper and lower case do not count where a tag is named. Each change is one undoable batch like
``SetAnnotations`` and answered by an ``AnnotationsReply`` whose ``count`` says how many media
changed; their keys are left out. Keywords in files are no tags: they stay as they are.
"""

from __future__ import annotations

from cocadesk.protocol.replies import ReplyBody
from cocadesk.protocol.requests import RequestBody
from cocadesk.protocol.values import Value


class TagUse(Value, frozen=True):
    """A tag, the filter that opens its list, and how many media have it.

    ``own``: a person gave it; ``suggested``: only the machine did, and nobody has removed it.
    These two are of the media that lists show, ``all_own`` and ``all_suggested`` of missing and
    hidden ones too: so many would be changed. Where ``is_offered`` it is one of those that
    suggestions are chosen from.
    """

    tag: str
    term: str
    own: int = 0
    suggested: int = 0
    all_own: int = 0
    all_suggested: int = 0
    is_offered: bool = False


class Tags(ReplyBody, frozen=True):
    """Tags, those that a person gave most often first."""

    tags: tuple[TagUse, ...]


class ListTags(RequestBody, frozen=True):
    """All tags of the library with their numbers; answered by ``Tags``.

    ``with_offered``: then those that suggestions are chosen from and no medium has.
    """

    with_offered: bool = False


class RenameTag(RequestBody, frozen=True):
    """Gives a person's tag another name on all media that have it.

    Where another tag has that name already, the two are one from then on. With
    ``with_suggested`` suggestions of it are accepted under the new name; without, they stay.
    """

    tag: str
    name: str
    with_suggested: bool = False


class RemoveTag(RequestBody, frozen=True):
    """Takes a person's tag off all media; ``with_suggested``: suggestions of it too."""

    tag: str
    with_suggested: bool = False
