"""The model that writes captions where another one searches: opened when it is first needed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from cocadesk.engine.conversions import to_value
from cocadesk.errors import UserError, tr
from cocadesk.locations import STARTER
from cocadesk.protocol.values import CaptionModelValue, ModelState

if TYPE_CHECKING:
    from cocadesk.annotations.describe import Captioner
    from cocadesk.annotations.tagging import ZeroShotTagger
    from cocadesk.library.library import Library
    from cocadesk.model.backend import Backend

_log = logging.getLogger(__name__)


class SearchModel(Protocol):
    """The model that searches, open."""

    @property
    def backend(self) -> Backend: ...

    @property
    def source(self) -> str: ...

    def tagger(self) -> ZeroShotTagger:
        """Tags by its vectors."""
        ...


class CaptionModel:
    """Gives the model that captions: the library's own for that, else the one that searches.

    Where that can't, the starter does. Any thread may ask. ``is_for_one_process``: the model
    that searches was named for this process, and captions here, whatever the library says.
    """

    def __init__(
        self, library: Library, open_source: Callable[[str], Backend], cache: Path
    ) -> None:
        self._library = library
        self._open_source = open_source
        self._cache = cache
        self.is_for_one_process = False
        self._lock = threading.Lock()
        self._backend: Backend | None = None
        self._source = ""
        self._value: CaptionModelValue | None = None

    def source(self, searching: SearchModel) -> str:
        """The source of the model that captions beside one that searches."""
        wanted = None if self.is_for_one_process else self._library.manifest.caption_source
        if wanted is None:
            can = searching.backend.info().is_for_captions
            return searching.source if can else STARTER
        return wanted

    def beside(self, searching: SearchModel) -> Captioner:
        """What captions beside the model that searches; opened where it is not yet.

        Raises:
            UserError: it can't be opened, or it writes no captions.
        """
        from cocadesk.annotations.describe import Captioner

        source = self.source(searching)
        if source == searching.source:
            check_captions(searching.backend, source)
            return Captioner(model=searching.backend, tagger=searching.tagger)
        with self._lock:
            if self._backend is None or self._source != source:
                self._take(self._opened(source), source)
            backend = self._backend
        assert backend is not None
        return Captioner(model=backend, tagger=lambda: self._tagger(backend))

    def value(self, searching: SearchModel | None) -> CaptionModelValue | None:
        """Its facts for clients; None where the model that searches captions too."""
        if searching is None or (source := self.source(searching)) == searching.source:
            return None
        backend, value = self._backend, self._value
        if backend is not None and self._source == source:  # its device may change
            return _value_of(backend, source)
        if value is None or value.source != source:
            return CaptionModelValue(state=ModelState.LOADING, source=source)
        return value

    def open(self, source: str) -> Backend:
        """A model for captions; the caller closes it or gives it to ``use``.

        Raises:
            UserError: it can't be opened, or it writes no captions.
        """
        backend = self._open_source(source)
        try:
            check_captions(backend, source)
        except BaseException:
            backend.close()
            raise
        return backend

    def use(self, backend: Backend, source: str) -> None:
        """Lets an open model caption from now on; ``library.json`` names it first."""
        self._library.set_caption_source(source)
        self.is_for_one_process = False
        with self._lock:
            self._take(backend, source)

    def close(self) -> None:
        """Frees the model; for the end of the engine."""
        with self._lock:
            if self._backend is not None:
                self._backend.close()
                self._backend = None

    def _opened(self, source: str) -> Backend:
        try:
            return self.open(source)
        except UserError as error:
            self._value = CaptionModelValue(
                state=ModelState.FAILED, source=source, reason=str(error)
            )
            raise UserError(
                tr("The model that writes captions ({source}) can't be opened.", source=source),
                " ".join(part for part in (error.what, error.why) if part),
                tr(
                    "Put its files back, or let another one caption: "
                    "cocadesk model use {starter} --for captions.",
                    starter=STARTER,
                ),
            ) from error

    def _take(self, backend: Backend, source: str) -> None:
        # The one before is not closed: a request may be in the middle of it.
        self._backend, self._source, self._value = backend, source, None
        _log.info("captions are written by %s (%s)", backend.info().model_id, source)

    def _tagger(self, backend: Backend) -> ZeroShotTagger:
        """Tags by its own vectors, with which captions may open; see ``Openings``."""
        from cocadesk.annotations.tagging import ZeroShotTagger
        from cocadesk.annotations.vocabulary import library_vocabulary

        vocabulary = library_vocabulary(self._library.folder)
        return ZeroShotTagger(backend, vocabulary, cache=self._cache)


def _value_of(backend: Backend, source: str) -> CaptionModelValue:
    return to_value(backend.info(), CaptionModelValue, state=ModelState.READY, source=source)


def spoiled() -> str:
    """Why the one model that is known to be bad at it is not for search."""
    return tr(
        "Its tuning on captions alone spoiled its search: of ImageNet's pictures it tells "
        "0.8 % right, as CoCa ViT-B-32 does 63.3 %."
    )


def check_search(backend: Backend, source: str) -> None:
    """Make sure that a model is good for search.

    Raises:
        UserError: it can only caption.
    """
    if not backend.info().is_for_search:
        raise UserError(
            tr("The model {source} is not for search.", source=source),
            spoiled(),
            tr(
                "Let it write captions alone: cocadesk model use {source} --for captions.",
                source=source,
            ),
        )


def check_captions(backend: Backend, source: str) -> None:
    """Make sure that a model writes captions.

    Raises:
        UserError: it can only search.
    """
    if not backend.info().is_for_captions:
        raise UserError(
            tr("The model {source} can't write captions.", source=source),
            tr("It can only search: it has no part that writes."),
            tr("Choose a CoCa model for captions, or the starter."),
        )
