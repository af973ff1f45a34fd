"""The model that is open: the vectors of its tags are there before the first caption."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cocadesk.annotations.vocabulary import load_vocabulary
from cocadesk.engine.loaded_model import WARM_UP_TEXT, ModelHolder
from cocadesk.library.library import Library
from cocadesk.locations import STARTER
from tests.support.fake_backend import FakeBackend
from tests.support.index_tools import CountingBackend
from tests.support.other_model import OTHER, OtherBackend
from tests.support.waiting import until

WAIT_S = 20.0


class Person:
    """Waits for an answer until ``quiet`` is set; notes that somebody let it go first."""

    def __init__(self) -> None:
        self.quiet = threading.Event()
        self.went_first = threading.Event()

    def wait(self, limit_s: float) -> bool:
        """As ``EngineServer.wait_until_quiet``."""
        self.went_first.set()
        return self.quiet.wait(limit_s)


@pytest.fixture
def person() -> Person:
    return Person()


@contextmanager
def opened(base: Path, model: FakeBackend, person: Person) -> Iterator[ModelHolder]:
    """A model that is open, of an engine with this person before it."""
    with Library.open(base / "library") as library:
        holder = ModelHolder(
            library,
            lambda _source: model,  # type: ignore[arg-type, return-value]
            STARTER,
            cache=base / "cache",
            wait_until_quiet=person.wait,
        )
        holder.start()
        holder.settled()
        try:
            yield holder
        finally:
            holder.close()


def kept_for(base: Path, model: FakeBackend) -> bool:
    """True where the vectors of the shipped tags are on the disk."""
    return any((base / "cache").glob(f"{model.info().model_id}-*.npy"))


def test_the_vectors_of_the_tags_are_made_before_anybody_asks(
    tmp_path: Path, person: Person
) -> None:
    """The first caption finds them; so does the next engine, on the disk."""
    person.quiet.set()
    first, second = CountingBackend(), CountingBackend()
    with opened(tmp_path, first, person) as holder:
        until(lambda: kept_for(tmp_path, first))
        embedded = len(first.texts)
        assert embedded > len(load_vocabulary().tags)
        holder.opened().tagger().class_vectors()
        assert len(first.texts) == embedded
    with opened(tmp_path, second, person) as holder:
        holder.opened().tagger().class_vectors()
        assert second.texts == [WARM_UP_TEXT]


def test_whoever_waits_for_an_answer_goes_first_and_who_wants_tags_does_not_wait_for_that(
    tmp_path: Path, person: Person
) -> None:
    """Nothing is embedded beside a search; a caption has what is left made at once."""
    model = CountingBackend()
    with opened(tmp_path, model, person) as holder:
        assert person.went_first.wait(WAIT_S)
        assert model.texts == [WARM_UP_TEXT]
        own, everyday = holder.opened().tagger().class_vectors()
        assert len(own) == len(everyday) == len(load_vocabulary().tags)
        assert not person.quiet.is_set()


def test_an_engine_that_ends_does_not_make_them_to_the_end(tmp_path: Path, person: Person) -> None:
    """Closing waits for the few in hand alone; a request in hand still gets all."""
    model = CountingBackend()
    with opened(tmp_path, model, person) as holder:
        assert person.went_first.wait(WAIT_S)
    assert (model.texts, kept_for(tmp_path, model)) == ([WARM_UP_TEXT], False)
    assert len(holder.opened().tagger().class_vectors()[0]) == len(load_vocabulary().tags)


def test_a_model_that_is_switched_to_gets_its_own(tmp_path: Path, person: Person) -> None:
    """And those of the one before are not made any more."""
    first, second = CountingBackend(), OtherBackend()
    with opened(tmp_path, first, person) as holder:
        assert person.went_first.wait(WAIT_S)
        holder.use(second, STARTER)  # type: ignore[arg-type]
        person.quiet.set()
        until(lambda: kept_for(tmp_path, second))
        assert holder.value().model_id == OTHER.model_id
    assert not kept_for(tmp_path, first)
