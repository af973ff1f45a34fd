"""The engine's network: opened beside the first requests, shared by all, swapped while serving."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cocadesk.engine.caption_model import CaptionModel, check_search
from cocadesk.engine.conversions import to_value
from cocadesk.errors import UserError, tr
from cocadesk.library.layout import read_manifest
from cocadesk.locations import STARTER, durable_source
from cocadesk.protocol.values import ModelState, ModelValue, changed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from cocadesk.annotations.describe import Captioner
    from cocadesk.annotations.tag_tree import TagTree
    from cocadesk.annotations.tagging import ZeroShotTagger
    from cocadesk.library.library import Library
    from cocadesk.model.backend import Backend, ModelInfo
    from cocadesk.search.calibration import Calibrator

WARM_UP_TEXT = "a photo"
TEXTS_AT_ONCE = 8
QUIET_LIMIT_S = 0.2
_MOST_LETTERS = 1000
"""So much of a query is looked through for the names of everyday things."""

_log = logging.getLogger(__name__)


class ChunkedTextEncoder:
    """Embeds many texts a few at a time, so that a search never waits for all of them.

    ``pause`` is called before each few; what it raises ends the work.
    """

    def __init__(self, backend: Backend, pause: Callable[[], None] = lambda: None) -> None:
        self._backend = backend
        self._pause = pause

    def info(self) -> ModelInfo:
        """Names the weights behind the vectors."""
        return self._backend.info()

    def embed_texts(self, texts: Sequence[str], /) -> NDArray[np.float32]:
        """(B, D) float32 unit vectors."""
        import numpy as np

        parts = []
        for start in range(0, len(texts), TEXTS_AT_ONCE):
            self._pause()
            parts.append(self._backend.embed_texts(texts[start : start + TEXTS_AT_ONCE]))
        return np.concatenate(parts)


class _LeftError(Exception):
    """Nobody will ask for tags of this model any more."""


class EverydayWords:
    """Vectors of the usual tags (C, D) once they are known; None until then. Any thread.

    They ship with the starter; for other models they are made with the tags.
    """

    def __init__(self, backend: Backend, cache: Path) -> None:
        self._backend = backend
        self._cache = cache
        self._vectors: NDArray[np.float32] | None = None
        self._tree: TagTree | None = None

    def __call__(self) -> NDArray[np.float32] | None:
        """The vectors, read once."""
        from cocadesk.annotations.prompts import known_class_vectors
        from cocadesk.annotations.vocabulary import load_vocabulary

        if self._vectors is None:
            tags = load_vocabulary().tags
            self._vectors = known_class_vectors(self._backend, tags, self._cache)
        return self._vectors

    def kinds_in(self, text: str) -> frozenset[int]:
        """The places of the words that are kinds of what a text names."""
        from cocadesk.annotations.tag_tree import TagTree
        from cocadesk.annotations.vocabulary import load_vocabulary

        if self._tree is None:
            self._tree = TagTree(load_vocabulary().tags)
        return self._tree.kinds_in(text[:_MOST_LETTERS])


def calibrator_of(backend: Backend, cache: Path) -> Calibrator:
    """What tells how likely photos show what a text says, by this network."""
    from cocadesk.search.calibration import Calibrator

    words = EverydayWords(backend, cache)
    return Calibrator(words, kinds=words.kinds_in)


class LoadedModel:
    """A loaded network with its searcher and tagger."""

    def __init__(self, library: Library, backend: Backend, source: str, cache: Path) -> None:
        from cocadesk.search.searcher import Searcher

        self.backend = backend
        self.source = source
        awaits_vectors = library.manifest.awaits(source, backend.info().image_id)
        self.searcher = Searcher(
            library,
            backend,
            groups=library.results.groups,
            awaits_vectors=awaits_vectors,
            calibrator=calibrator_of(backend, cache),
        )
        self._folder = library.folder
        self._cache = cache
        self._tagger: ZeroShotTagger | None = None
        self._tagger_lock = threading.Lock()
        self._is_tagger_wanted = threading.Event()
        self._is_left = threading.Event()
        self._preparing: threading.Thread | None = None
        self._wait_until_quiet: Callable[[float], bool] = lambda _limit_s: True

    def tagger(self) -> ZeroShotTagger:
        """The tags of the library's vocabulary; their vectors are cached by model.

        Raises:
            UserError: the person's own vocabulary cannot be read.
        """
        self._is_tagger_wanted.set()
        return self._present_tagger()

    def prepare_tags(self, wait_until_quiet: Callable[[float], bool]) -> None:
        """Begins to make the vectors of the tags, for which the first caption would wait.

        Before that the words of the library are gone through, for which a search would.

        A few at a time, on a thread of its own, while nobody waits for an answer; once somebody
        wants the tags, without a rest.
        """
        self._wait_until_quiet = wait_until_quiet
        self._preparing = threading.Thread(target=self._prepare, name="tags", daemon=True)
        self._preparing.start()

    def leave(self) -> None:
        """Ends what ``prepare_tags`` has begun, after the few in hand."""
        self._is_left.set()
        if self._preparing is not None:
            self._preparing.join()

    def _prepare(self) -> None:
        try:
            self.searcher.prepare()
            self._present_tagger().class_vectors()
        except _LeftError:
            return
        except Exception as error:  # noqa: BLE001 - said to whoever asks for tags
            _log.info("the tags' vectors are made when they are asked for: %s", error)

    def _pause(self) -> None:
        """Lets whoever waits for an answer go first; requests themselves need no pause."""
        if threading.current_thread() is not self._preparing:
            return
        while not self._is_left.is_set() and not self._is_tagger_wanted.is_set():
            if self._wait_until_quiet(QUIET_LIMIT_S):
                break
        if self._is_left.is_set():
            raise _LeftError

    def _present_tagger(self) -> ZeroShotTagger:
        from cocadesk.annotations.tagging import ZeroShotTagger
        from cocadesk.annotations.vocabulary import library_vocabulary

        with self._tagger_lock:
            vocabulary = library_vocabulary(self._folder)
            if self._tagger is None or self._tagger.vocabulary.tags != vocabulary.tags:
                encoder = ChunkedTextEncoder(self.backend, self._pause)
                self._tagger = ZeroShotTagger(encoder, vocabulary, cache=self._cache)
            return self._tagger

    def value(self) -> ModelValue:
        """The network's facts for clients."""
        info = self.backend.info()
        return to_value(
            info,
            ModelValue,
            state=ModelState.READY,
            source=self.source,
            are_tags_fitted=info.tagging.are_fitted,
        )


class ModelHolder:
    """Opens the network on a thread of its own; a request that needs it waits for it.

    Without ``start`` it is opened where it is first needed. ``warms_up``: its first text
    is embedded before anybody asks for one. ``wait_until_quiet`` blocks while a person
    waits for an answer; without it the vectors of tags are made where they are first needed.

    ``use`` puts another in its place: who has begun with the old one ends with
    it, and it is freed with the last of them. ``open_elsewhere`` opens a source in another
    process, which gets it as a pickle; ``open_source`` does unless it is given. ``captions``
    is the model that writes captions, where this one does not.
    """

    def __init__(
        self,
        library: Library,
        open_source: Callable[[str], Backend],
        source: str,
        *,
        cache: Path,
        on_change: Callable[[ModelValue], None] = lambda _model: None,
        warms_up: bool = True,
        wait_until_quiet: Callable[[float], bool] | None = None,
        open_elsewhere: Callable[[str], Backend] | None = None,
    ) -> None:
        self._library = library
        self._open_source = open_source
        self._open_elsewhere = open_elsewhere or open_source
        self._source = source
        self._cache = cache
        self.captions = CaptionModel(library, open_source, cache)
        of_library = library.manifest.model_source or STARTER
        self.captions.is_for_one_process = durable_source(source) != of_library
        self._on_change = on_change
        self._is_settled = threading.Event()
        self._opened: LoadedModel | None = None
        self._error: UserError | None = None
        self._value = _value_before_opening(library, source)
        self._warms_up = warms_up
        self._wait_until_quiet = wait_until_quiet
        self._opening = threading.Lock()
        self._thread: threading.Thread | None = None

    @property
    def source(self) -> str:
        """The source of the network in use, opened yet or not."""
        return self._source

    def start(self) -> None:
        """Begins to open the network."""
        self._thread = threading.Thread(target=self._open_first, name="model", daemon=True)
        self._thread.start()

    def settled(self) -> ModelValue:
        """The facts of the network once it is open, or cannot be."""
        with self._opening:
            if self._thread is None and not self._is_settled.is_set():
                self._open_first()
        self._is_settled.wait()
        return self.value()

    def value(self) -> ModelValue:
        """The facts of the network as far as they are known now; its device may change."""
        opened = self._opened
        value = self._value if opened is None else opened.value()
        captions = self.captions.value(opened)
        if captions is None:
            return value
        return changed(value, captions=captions, styles=captions.styles)

    def captioner(self) -> Captioner:
        """What writes captions: this network where it can and nobody chose another.

        Raises:
            UserError: it could not be opened.
        """
        return self.captions.beside(self.opened())

    def awaits_vectors(self) -> bool:
        """True where the network is open and a newer starter than the library's vectors are of."""
        opened, manifest = self._opened, self._library.manifest
        return opened is not None and manifest.awaits(opened.source, opened.backend.info().image_id)

    def opened(self) -> LoadedModel:
        """The network in use with what stands on it; waits until it is open.

        Raises:
            UserError: it could not be opened.
        """
        self.settled()
        opened = self._opened
        if opened is None:
            raise self._error or UserError(tr("The model is not open."))
        return opened

    def searching(self) -> LoadedModel:
        """The network in use, which is good for search.

        Raises:
            UserError: it could not be opened, or can only caption.
        """
        opened = self.opened()
        check_search(opened.backend, opened.source)
        return opened

    def taught(self) -> LoadedModel:
        """The network in use, which may be taught: it searches and captions.

        Raises:
            UserError: two share that, or it could not be opened.
        """
        opened, other = self.opened(), self.value().captions
        if other is None:
            return opened
        raise UserError(
            tr("Two models are in use, and only one that does both can be taught."),
            tr(
                "{search} searches, and {captions} writes captions.",
                search=opened.source,
                captions=other.source,
            ),
            tr("Let one do both first, for example: cocadesk model use starter."),
        )

    def open(self, source: str) -> Backend:
        """Another network, warm; the caller closes it or gives it to ``use``.

        Raises:
            UserError: it could not be opened.
        """
        backend = self._open_source(source)
        try:
            if self._warms_up:
                backend.embed_texts([WARM_UP_TEXT])
        except BaseException:
            backend.close()
            raise
        return backend

    def opener(self) -> Callable[[], Backend]:
        """Opens the network in use once more, in another process."""
        return partial(self._open_elsewhere, self._source)

    def use(self, backend: Backend, source: str) -> None:
        """Lets ``backend`` answer from now on, after restarts too.

        Its views must be there: ``library.json`` names it before it answers.
        """
        self.settled()
        info = backend.info()
        fresh = LoadedModel(self._library, backend, source, self._cache)
        self.captions.is_for_one_process = False
        self._library.set_model(info.image_id, model_id=info.model_id, source=source)
        self._put(fresh)
        _log.info("the model in use is now %s (%s)", info.model_id, source)

    def close(self) -> None:
        """Frees the network; for the end of the engine."""
        if self._thread is not None:
            self._thread.join()
        if self._opened is not None:
            self._opened.leave()
            self._opened.backend.close()
        self.captions.close()

    def keep_captions(self) -> None:
        """Let the model that captions now go on, also where another one comes to search."""
        if self._opened is not None:
            self._library.set_caption_source(self.captions.source(self._opened))

    def use_for_captions(self, backend: Backend, source: str) -> None:
        """Lets an open model (``captions.open``) write captions, after restarts too."""
        self.settled()
        self.captions.use(backend, source)
        self._on_change(self.value())

    def _open_first(self) -> None:
        try:
            backend = self.open(self._source)
            opened = LoadedModel(self._library, backend, self._source, self._cache)
            self._remember(backend.info())
        except UserError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001 - whoever waits must be woken
            _log.exception("the model could not be opened")
            self._fail(UserError(tr("The model could not be opened."), f"{error}"))
        else:
            self._opened = opened
            self._value = opened.value()
            self._prepare_tags(opened)
        self._is_settled.set()
        self._open_captions()
        self._on_change(self.value())

    def _open_captions(self) -> None:
        """Open a model of its own for captions, so that clients hear what it is and can do."""
        if self._warms_up and self.captions.value(self._opened) is not None:
            try:
                self.captioner()
            except UserError as error:
                _log.warning("%s", error)

    def _prepare_tags(self, opened: LoadedModel) -> None:
        if self._wait_until_quiet is not None:
            opened.prepare_tags(self._wait_until_quiet)

    def _remember(self, info: ModelInfo) -> None:
        """Note the names of the library's own model; other words may have come with an update."""
        library, source = self._library, durable_source(self._source)
        is_own = source == (library.manifest.model_source or STARTER)
        if library.is_writer and (
            library.model is None or (is_own and library.model == info.image_id)
        ):
            library.set_model(info.image_id, model_id=info.model_id, source=source)

    def _put(self, fresh: LoadedModel) -> None:
        # The old backend is not closed: a request may be in the middle of it. Its
        # threads end when the last reference goes.
        if self._opened is not None:
            self._opened.leave()
        self._opened, self._source, self._error = fresh, fresh.source, None
        self._value = fresh.value()
        self._prepare_tags(fresh)
        self._open_captions()
        self._on_change(self.value())

    def _fail(self, error: UserError) -> None:
        self._error = error
        self._value = changed(self._value, state=ModelState.FAILED, reason=str(error))


def _value_before_opening(library: Library, source: str) -> ModelValue:
    """The facts that the library remembers of the model that it uses."""
    value = ModelValue(state=ModelState.LOADING, source=source)
    manifest = read_manifest(library.folder)
    if manifest is None or source != (manifest.model_source or STARTER):
        return value
    return changed(value, model_id=manifest.model_id or "", image_id=manifest.image_id or "")
