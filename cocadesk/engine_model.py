"""The engine's network: opened beside the first requests, shared by all."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cocadesk.errors import UserError
from cocadesk.protocol.values import ModelState, ModelValue

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cocadesk.library import Library
    from cocadesk.model.backend import Backend, ModelInfo
    from cocadesk.search import Searcher
    from cocadesk.words import ZeroShotTagger

WARM_UP_TEXT = "a photo"
TEXTS_AT_ONCE = 8

_log = logging.getLogger(__name__)


class PoliteEncoder:
    """Embeds many texts a few at a time, so that a search never waits for all of them."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def info(self) -> ModelInfo:
        """Names the weights behind the vectors."""
        return self._backend.info()

    def embed_texts(self, texts: Sequence[str], /) -> NDArray[np.float32]:
        """(B, D) float32 unit vectors."""
        import numpy as np

        parts = []
        for start in range(0, len(texts), TEXTS_AT_ONCE):
            parts.append(self._backend.embed_texts(texts[start : start + TEXTS_AT_ONCE]))
        return np.concatenate(parts)


class ModelKeeper:
    """Opens the network on a thread of its own; whoever needs it waits for it."""

    def __init__(
        self,
        library: Library,
        open_model: Callable[[], Backend],
        *,
        cache: Path,
        on_change: Callable[[ModelValue], None],
    ) -> None:
        self._library = library
        self._open_model = open_model
        self._cache = cache
        self._on_change = on_change
        self._opened = threading.Event()
        self._backend: Backend | None = None
        self._searcher: Searcher | None = None
        self._tagger: ZeroShotTagger | None = None
        self._tagger_lock = threading.Lock()
        self._error: UserError | None = None
        self._value = ModelValue(state=ModelState.LOADING)
        self._thread = threading.Thread(target=self._open, name="model", daemon=True)

    def start(self) -> None:
        """Begins to open the network."""
        self._thread.start()

    def value(self) -> ModelValue:
        """What is known of the network now."""
        return self._value

    def backend(self) -> Backend:
        """The network's door; waits until it is open.

        Raises:
            UserError: it could not be opened.
        """
        self._opened.wait()
        if self._backend is None:
            raise self._error or UserError("The model is not there.")
        return self._backend

    def searcher(self) -> Searcher:
        """The search of this library; see ``backend``."""
        self.backend()
        assert self._searcher is not None
        return self._searcher

    def tagger(self) -> ZeroShotTagger:
        """The tags of the shipped vocabulary; their vectors are cached by model."""
        backend = self.backend()
        with self._tagger_lock:
            if self._tagger is None:
                from cocadesk.words import ZeroShotTagger, load_vocabulary

                encoder = PoliteEncoder(backend)
                self._tagger = ZeroShotTagger(encoder, load_vocabulary(), cache=self._cache)
            return self._tagger

    def close(self) -> None:
        """Frees the network; for the end of the engine."""
        if self._thread.ident is not None:
            self._thread.join()
        if self._backend is not None:
            self._backend.close()

    def _open(self) -> None:
        from cocadesk.search import Searcher

        try:
            backend = self._open_model()
            backend.embed_texts([WARM_UP_TEXT])
        except UserError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001 - whoever waits must be woken
            _log.exception("the model could not be opened")
            self._fail(UserError("The model could not be opened.", f"{error}"))
        else:
            info = backend.info()
            self._backend = backend
            self._searcher = Searcher(self._library, backend)
            self._value = ModelValue(
                state=ModelState.READY,
                name=info.name,
                model_id=info.model_id,
                image_id=info.image_id,
                device=info.device,
                precision=info.precision,
                reason=info.reason,
            )
        self._opened.set()
        self._on_change(self._value)

    def _fail(self, error: UserError) -> None:
        self._error = error
        self._value = ModelValue(state=ModelState.FAILED, reason=str(error))
