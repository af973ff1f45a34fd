"""The two kinds of machine words, behind one interface: tags and captions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from cocadesk.annotations import ZeroShotTagger
    from cocadesk.library import Library, MediaRow, Tag
    from cocadesk.model.backend import Backend
    from cocadesk.protocol.messages import Description

Words = TypeVar("Words")


class Describer(Protocol[Words]):
    """Gives words for pictures, keeps them in the library, and shows them."""

    batch: int
    """Pictures described at a time."""
    is_engines_too: bool
    """Whether a running engine makes the same words."""

    def known(self, library: Library, rows: Sequence[MediaRow]) -> dict[str, Words]:
        """Words that need no decoding, by key: ``rows`` are unchanged members."""
        ...

    def from_engine(self, description: Description) -> Words | None:
        """The words among what an engine says of a member, or None."""
        ...

    def describe(self, images_BHWC: NDArray[np.uint8]) -> list[Words]:
        """Words for each picture."""
        ...

    def keep(self, library: Library, words: Mapping[str, Words]) -> None:
        """Stores the words of members by key."""
        ...

    def fields(self, words: Words) -> dict[str, Any]:
        """The words in a document."""
        ...

    def text(self, words: Words) -> str:
        """The words in a line for people."""
        ...


class Tags:
    """Zero-shot tags; a member's stored vector is enough, its file is not read."""

    batch = 16

    def __init__(
        self, backend: Backend, tagger: ZeroShotTagger, top: int, *, is_engines_too: bool
    ) -> None:
        self.is_engines_too = is_engines_too
        self._backend = backend
        self._info = backend.info()
        self._tagger = tagger
        self._top = top

    def known(self, library: Library, rows: Sequence[MediaRow]) -> dict[str, list[Tag]]:
        """Tags from the stored vectors of this very image side."""
        from cocadesk.annotations import tags_from_views

        return tags_from_views(library, self._info.image_id, self._tagger, rows, self._top)

    def from_engine(self, description: Description) -> list[Tag] | None:
        """The machine's tags; a person's are not the answer to this question."""
        from cocadesk.library import Tag

        return [
            Tag(tag=value.tag, score=value.score)
            for value in description.tags
            if value.score is not None and not value.by_person
        ][: self._top]

    def describe(self, images_BHWC: NDArray[np.uint8]) -> list[list[Tag]]:
        """Tags from the pictures' vectors."""
        return self._tagger.tag(self._backend.embed_images(images_BHWC), self._top)

    def keep(self, library: Library, words: Mapping[str, list[Tag]]) -> None:
        """Replaces the machine's tags of these members."""
        library.media.set_tags(words, self._tagger.mark)

    def fields(self, words: list[Tag]) -> dict[str, Any]:
        """The document's list of tags with scores."""
        return {"tags": [{"tag": tag.tag, "score": round(tag.score, 4)} for tag in words]}

    def text(self, words: list[Tag]) -> str:
        """Tags with their scores in percent."""
        return ", ".join(f"{tag.tag} {tag.score:.0%}" for tag in words) or "(no tag fits)"


class Captions:
    """One sentence a picture; a person's, or this model's of before, is not made anew."""

    batch = 8
    is_engines_too = True

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._model_id = backend.info().model_id
        self._stored: set[str] = set()

    def known(self, library: Library, rows: Sequence[MediaRow]) -> dict[str, str]:
        """The person's captions, else the stored ones of this model."""
        known = {
            row.key: row.machine_caption
            for row in rows
            if row.machine_caption is not None and row.machine_caption_model == self._model_id
        }
        known |= {row.key: row.human_caption for row in rows if row.human_caption is not None}
        self._stored |= known.keys()
        return known

    def from_engine(self, description: Description) -> str | None:
        """The caption, if there is one."""
        return description.caption

    def describe(self, images_BHWC: NDArray[np.uint8]) -> list[str]:
        """A caption for each picture."""
        return [caption.text for caption in self._backend.caption(images_BHWC)]

    def keep(self, library: Library, words: Mapping[str, str]) -> None:
        """Replaces the machine's captions of these members, where this model made them."""
        made = {key: text for key, text in words.items() if key not in self._stored}
        library.media.set_captions(made, self._model_id)

    def fields(self, words: str) -> dict[str, Any]:
        """The document's caption."""
        return {"caption": words}

    def text(self, words: str) -> str:
        """The sentence itself."""
        return words
