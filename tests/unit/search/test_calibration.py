"""Probabilities that photos show what is asked for: the curve, its background, and real photos."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from cocadesk.annotations.prompts import known_class_vectors, shipped_vectors
from cocadesk.annotations.vocabulary import load_vocabulary
from cocadesk.engine.loaded_model import EverydayWords, calibrator_of
from cocadesk.library.library import Library
from cocadesk.library.vector_memory import best_of_each
from cocadesk.media.photo.decode import decode_photo
from cocadesk.model.backend import Backend, open_backend
from cocadesk.resources import resource_path
from cocadesk.search.calibration import Calibrator, Constants, competing, probabilities
from cocadesk.search.searcher import Searcher
from cocadesk.vectors import unit_vectors
from tests.support.fake_backend import FakeBackend
from tests.support.index_tools import run_index

DIM, WORDS = 16, 40
SHOWN_FROM = Constants().shown_from
_random = np.random.default_rng(7)
WORDS_CD = unit_vectors(_random.standard_normal((WORDS, DIM)))


def likely(query_D: np.ndarray, photos_ND: np.ndarray) -> np.ndarray:
    """Probabilities by words at random."""
    found = Calibrator(lambda: WORDS_CD).probabilities("", query_D, photos_ND)
    assert found is not None
    return found


def test_a_photo_that_lies_at_the_query_is_likely_and_one_across_is_not() -> None:
    """The curve's two ends."""
    query = unit_vectors(_random.standard_normal(DIM))
    near, far = likely(query, np.stack([query, -query]))
    assert near > 0.5 > 0.01 > far


@given(st.floats(-0.5, 0.5), st.floats(0.001, 0.3))
def test_of_two_photos_alike_to_all_words_the_nearer_one_is_likelier(
    cosine: float, more: float
) -> None:
    """Monotone in the cosine with the query where all else is the same."""
    words = np.tile(_random.standard_normal(WORDS).astype(np.float32), (2, 1))
    query = np.asarray([cosine, cosine + more], np.float32)
    low, high = probabilities(query, words, np.ones(WORDS, np.bool_), Constants())
    assert low <= high
    assert 0 <= low <= high <= 1


def test_a_photo_that_other_words_fit_better_is_less_likely() -> None:
    """A rival takes from the probability, a word that says the same as the query does not."""
    words = np.zeros((2, WORDS), np.float32)
    words[:, ::2] = 0.1
    words[1, 3] = 0.5
    query = np.asarray([0.3, 0.3], np.float32)
    is_rival = np.ones(WORDS, np.bool_)
    is_same = is_rival.copy()
    is_same[3] = False
    constants = Constants(own=0.0, bias=0.0)
    without, beside = probabilities(query, words, is_rival, constants)
    _, same = probabilities(query, words, is_same, constants)
    assert beside < without
    assert beside < same


def test_words_that_say_the_same_do_not_compete() -> None:
    """Those nearest to the query; of a short list at most half."""
    cosines = np.asarray([0.1, 0.9, 0.3, 0.8], np.float32)
    assert competing(cosines, 1).tolist() == [True, False, True, True]
    assert competing(cosines, 10).tolist() == [True, False, True, False]


def test_kinds_of_what_is_named_do_not_compete() -> None:
    """A photo of a dog shows an animal; of nothing named all words compete."""
    rival = WORDS_CD[3]
    photo = unit_vectors(rival + 0.5 * WORDS_CD[5])[None]
    query = unit_vectors(WORDS_CD[5] + 0.2 * WORDS_CD[7])
    calibrator = Calibrator(lambda: WORDS_CD, kinds=lambda text: {3} if text == "animal" else ())
    (beside,) = calibrator.probabilities("thing", query, photo)  # type: ignore[misc]
    (alone,) = calibrator.probabilities("animal", query, photo)  # type: ignore[misc]
    assert alone > beside


def test_without_a_background_nothing_is_judged() -> None:
    """As for a model whose words are not made yet, and words of another width."""
    query, photos = np.ones(DIM, np.float32), np.ones((3, DIM), np.float32)
    assert Calibrator(lambda: None).probabilities("", query, photos) is None
    wide = np.ones((5, DIM + 1), np.float32)
    assert Calibrator(lambda: wide).probabilities("", query, photos) is None


def test_numbers_without_spread_are_no_error() -> None:
    """All words the same: finite probabilities."""
    same = np.zeros((2, WORDS), np.float32)
    found = probabilities(np.ones(2, np.float32), same, np.ones(WORDS, np.bool_), Constants())
    assert np.isfinite(found).all()


@given(st.lists(st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=5), min_size=1))
def test_each_medium_is_judged_by_its_best_view(runs: list[list[float]]) -> None:
    """As a plain loop finds it."""
    scores = np.asarray([score for run in runs for score in run], np.float32)
    owners = np.repeat(np.arange(len(runs), dtype=np.int32), [len(run) for run in runs])
    best = best_of_each(scores, owners)
    assert scores[best].tolist() == [max(np.asarray(run, np.float32)) for run in runs]


@pytest.fixture(scope="module")
def starter() -> Iterator[Backend]:
    """The model that ships."""
    with open_backend() as backend:
        yield backend


def test_the_starters_words_ship(starter: Backend) -> None:
    """The file is that of this starter and these tags (else: tools/build_text_vectors.py)."""
    tags = load_vocabulary().tags
    vectors = known_class_vectors(starter, tags, None)
    assert vectors is not None, "run tools/build_text_vectors.py"
    assert vectors.shape == (len(tags), starter.info().embedding_dim)
    folder = shipped_vectors()
    assert folder is not None
    assert sum(file.stat().st_size for file in folder.iterdir()) < 1_000_000
    made = starter.embed_texts(["axe", "an axe", "a photo of an axe"]).mean(axis=0)
    assert float(unit_vectors(made) @ vectors[tags.index("axe")]) > 0.999


@pytest.fixture(scope="module")
def photos(starter: Backend) -> dict[str, NDArray[np.float32]]:
    """Vectors of a few sample photos."""
    spec = starter.info().input_spec
    names = ("beach", "chelsea-cat", "farm-dog", "kangaroos", "igloo", "kitchen")
    inputs = [
        decode_photo(resource_path("samples", "photos", f"{name}.jpg"), spec).input_HWC
        for name in names
    ]
    return dict(zip(names, starter.embed_images(np.stack(inputs)), strict=True))


def test_a_query_finds_what_is_there_and_says_what_is_not(
    tmp_path: Path, starter: Backend, photos: dict[str, NDArray[np.float32]]
) -> None:
    """Real photos with the starter: what they show is believed, of few photos too."""
    words = calibrator_of(starter, tmp_path / "cache")
    there = {
        "a beach": "beach",
        "a cat": "chelsea-cat",
        "a dog": "farm-dog",
        "kangaroo": "kangaroos",
        "an octopus": None,
        "asdf qwertz": None,
        "my tax return of 2019": None,
    }
    for text, name in there.items():
        query = starter.embed_texts([text])[0]
        found = words.probabilities(text, query, np.stack(list(photos.values())))
        assert found is not None
        shown = {other for other, p in zip(photos, found, strict=True) if p >= SHOWN_FROM}
        assert shown == ({name} if name else set()), text


def test_hits_say_whether_they_are_believed(tmp_path: Path) -> None:
    """In a search: the colours are words that compete, and an own tag needs no belief."""
    backend = FakeBackend()
    vectors_CD = backend.embed_texts(["red", "green", "blue", "white", "black", "yellow"])
    calibrator = Calibrator(lambda: vectors_CD)
    folder = tmp_path / "photos"
    folder.mkdir()
    for name, colour in (("one", (250, 5, 5)), ("two", (5, 5, 250))):
        Image.new("RGB", (40, 30), colour).save(folder / f"{name}.jpg")
    with Library.open(tmp_path / "library") as library:
        run_index(library, [folder])
        searcher = Searcher(library, backend, calibrator=calibrator)
        hits = {Path(hit.path.decode()).stem: hit for hit in searcher.search("red")}
        assert (hits["one"].probability or 0) > (hits["two"].probability or 0)
        assert not hits["two"].is_relevant
        own = {Path(hit.path.decode()).stem: hit for hit in searcher.search("two")}
        assert own["two"].is_relevant
        assert own["two"].probability == 1
        plain = Searcher(library, backend).search("red")
        assert all(hit.probability is None and hit.is_relevant for hit in plain)


def test_a_model_without_words_gives_all_without_a_line(tmp_path: Path) -> None:
    """Nothing is folded where nothing is judged; once the words are stored they are used."""
    words = EverydayWords(FakeBackend(), tmp_path / "cache")
    assert words() is None
