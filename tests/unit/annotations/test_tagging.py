"""Zero-shot tags over the small deterministic backend."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from cocadesk.annotations.prompts import (
    PROMPT_TEMPLATES,
    cached_class_vectors,
    class_vectors,
    prompts,
    with_article,
)
from cocadesk.annotations.tagging import ZeroShotTagger
from cocadesk.annotations.vocabulary import Vocabulary, load_vocabulary, tagger_version
from tests.support.fake_backend import FakeBackend
from tests.support.other_model import OtherBackend

COLOURS = Vocabulary(name="colours", tags=("red", "green", "blue"))


class CountingBackend(FakeBackend):
    """Counts how many texts were embedded."""

    texts = 0

    def embed_texts(self, texts: list[str]) -> np.ndarray:  # type: ignore[override]
        """As the parent, counted."""
        self.texts += len(texts)
        return super().embed_texts(texts)


def _picture(*rgb: int) -> np.ndarray:
    image = np.empty((1, 64, 64, 3), np.uint8)
    image[:] = rgb
    return FakeBackend().embed_images(image)


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("dog", "a dog"),
        ("apple", "an apple"),
        ("rock climbing", "rock climbing"),
        ("playing guitar", "playing guitar"),
        ("swimming pool", "a swimming pool"),
        ("building", "a building"),
        ("sunglasses", "sunglasses"),
        ("bus", "a bus"),
        ("glass", "a glass"),
        ("the moon", "the moon"),
    ],
)
def test_a_tag_gets_the_article_that_its_form_calls_for(tag: str, expected: str) -> None:
    """Countable nouns get one, plurals and activities none."""
    assert with_article(tag) == expected


def test_every_template_gives_a_different_sentence_with_the_tag() -> None:
    """A template without its tag would make all classes alike."""
    sentences = prompts("horse")
    assert len(set(sentences)) == len(PROMPT_TEMPLATES)
    assert all("horse" in sentence for sentence in sentences)


def test_class_vectors_are_the_unit_means_of_their_sentences() -> None:
    """Checked against the plain loop."""
    backend = FakeBackend()
    vectors = class_vectors(backend, COLOURS.tags)
    for tag, vector in zip(COLOURS.tags, vectors, strict=True):
        mean = backend.embed_texts(prompts(tag)).mean(0)
        np.testing.assert_allclose(vector, mean / np.linalg.norm(mean), atol=1e-6)
    assert vectors.dtype == np.float32


def test_the_fitting_tag_comes_first() -> None:
    """A red picture is red, whatever else is in the list."""
    tagger = ZeroShotTagger(FakeBackend(), COLOURS, at_least=1)
    for rgb, expected in (((255, 0, 0), "red"), ((0, 255, 0), "green"), ((0, 0, 255), "blue")):
        assert tagger.tag(_picture(*rgb))[0][0].tag == expected


def test_scores_are_likelihoods_in_order_and_at_most_top() -> None:
    """Between 0 and 1, best first, none under the threshold, no more than asked for."""
    tagger = ZeroShotTagger(FakeBackend(), load_vocabulary())
    pictures = np.concatenate([_picture(255, 0, 0), _picture(10, 90, 200), _picture(9, 9, 9)])
    for tags in tagger.tag(pictures, top=5):
        scores = [tag.score for tag in tags]
        assert len(tags) <= 5
        assert scores == sorted(scores, reverse=True)
        assert all(0.4 <= score <= 1 for score in scores)


def test_a_picture_that_nothing_fits_gets_no_tag_or_the_least_asked_for() -> None:
    """The threshold holds back implausible tags; a caller may insist on the best one."""
    nothing = Vocabulary(name="n", tags=("xyzzy", "qwert"))
    picture = -class_vectors(FakeBackend(), nothing.tags)[:1]
    assert ZeroShotTagger(FakeBackend(), nothing).tag(picture) == [[]]
    (forced,) = ZeroShotTagger(FakeBackend(), nothing, at_least=1).tag(picture)
    assert len(forced) == 1


def test_a_tag_does_not_depend_on_the_other_pictures_of_a_batch() -> None:
    """Alone or among others: the same scores."""
    tagger = ZeroShotTagger(FakeBackend(), COLOURS)
    both = np.concatenate([_picture(255, 0, 0), _picture(0, 0, 255)])
    np.testing.assert_allclose(tagger.scores(both)[:1], tagger.scores(both[:1]), atol=1e-6)


def test_no_pictures_get_no_tags() -> None:
    """An empty batch is fine."""
    tagger = ZeroShotTagger(FakeBackend(), COLOURS)
    assert tagger.tag(np.zeros((0, 32), np.float32)) == []


def test_vectors_are_embedded_once_and_then_read(tmp_path: Path) -> None:
    """A second tagger with the same words does not embed again; a broken file is rewritten."""
    backend = CountingBackend()
    first = cached_class_vectors(backend, COLOURS.tags, tmp_path)
    embedded = backend.texts
    np.testing.assert_array_equal(cached_class_vectors(backend, COLOURS.tags, tmp_path), first)
    assert backend.texts == embedded
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-5])
    np.testing.assert_array_equal(cached_class_vectors(backend, COLOURS.tags, tmp_path), first)
    assert backend.texts == 2 * embedded


def test_a_cache_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    """The vectors are computed and simply not kept."""
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    vectors = cached_class_vectors(FakeBackend(), COLOURS.tags, blocked / "cache")
    assert vectors.shape == (3, 32)


def test_other_templates_and_other_models_have_vectors_of_their_own(tmp_path: Path) -> None:
    """A change of the sentences never reads vectors of the old ones."""
    plain = cached_class_vectors(FakeBackend(), COLOURS.tags, tmp_path, ("{tag}",))
    drawn = cached_class_vectors(FakeBackend(), COLOURS.tags, tmp_path, ("a drawing of {a}",))
    assert not np.array_equal(plain, drawn)
    other = cached_class_vectors(OtherBackend(), COLOURS.tags, tmp_path, ("{tag}",))
    assert not np.array_equal(plain, other)
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize(
    "broken",
    [
        np.zeros((2, 32), np.float32),
        np.zeros((3, 32), np.float64),
        np.full((3, 32), np.nan, np.float32),
        np.zeros(3, np.float32),
    ],
    ids=["too few", "other numbers", "not finite", "no matrix"],
)
def test_a_cache_file_with_other_contents_is_written_again(
    tmp_path: Path, broken: NDArray[np.generic]
) -> None:
    """By another program, say; and no half-written file is left beside it."""
    right = cached_class_vectors(FakeBackend(), COLOURS.tags, tmp_path)
    (file,) = tmp_path.iterdir()
    np.save(file, broken)
    np.testing.assert_array_equal(
        cached_class_vectors(FakeBackend(), COLOURS.tags, tmp_path), right
    )
    assert list(tmp_path.iterdir()) == [file]
    np.testing.assert_array_equal(np.load(file), right)


def test_a_tagger_embeds_its_words_at_the_first_use_and_once(tmp_path: Path) -> None:
    """Asking whether tags are stale needs no vectors."""
    backend = CountingBackend()
    tagger = ZeroShotTagger(backend, COLOURS)
    assert (tagger.version, backend.texts) == (tagger_version("fake-000000000000", COLOURS), 0)
    picture = backend.embed_images(np.full((1, 8, 8, 3), (255, 0, 0), np.uint8))
    first = tagger.scores(picture)
    embedded = backend.texts
    assert embedded > 0
    np.testing.assert_array_equal(tagger.scores(picture), first)
    assert backend.texts == embedded
