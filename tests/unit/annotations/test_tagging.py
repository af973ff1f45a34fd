"""Zero-shot tags over the small deterministic backend."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from cocadesk.annotations.prompts import (
    PROMPT_TEMPLATES,
    cached_class_vectors,
    class_vectors,
    is_activity,
    prompts,
    with_article,
)
from cocadesk.annotations.tag_tree import TagTree
from cocadesk.annotations.tagging import ZeroShotTagger, deviations, logistic, tagger_version
from cocadesk.annotations.vocabulary import Vocabulary, load_vocabulary
from cocadesk.library.rows import Tag
from cocadesk.model.tag_constants import TagConstants
from tests.support.fake_backend import FakeBackend, FakeInfo
from tests.support.index_tools import CountingBackend
from tests.support.other_model import OtherBackend

COLOURS = Vocabulary(name="colours", tags=("red", "green", "blue"))
MIXED = Vocabulary(name="mixed", tags=("rice", "red owl", "blue dancing", "green close-up"))


class FittedBackend(FakeBackend):
    """The fake model with constants of its own."""

    def __init__(self, **constants: object) -> None:
        self.constants = TagConstants(**constants)  # type: ignore[arg-type]

    def info(self) -> FakeInfo:
        """As the fake's."""
        return FakeInfo(tagging=self.constants)


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
        ("fried rice", "fried rice"),
        ("lightning", "lightning"),
        ("skis", "skis"),
        ("an owl", "an owl"),
        ("uniform", "a uniform"),
        ("umbrella", "an umbrella"),
        ("rhinoceros", "a rhinoceros"),
    ],
)
def test_a_tag_gets_the_article_that_its_form_calls_for(tag: str, expected: str) -> None:
    """Countable nouns get one; plurals, activities and what is not counted none."""
    assert with_article(tag) == expected


def test_every_template_gives_a_different_sentence_with_the_tag() -> None:
    """A template without its tag would make all classes alike."""
    sentences = prompts("horse")
    assert len(set(sentences)) == len(PROMPT_TEMPLATES)
    assert all("horse" in sentence for sentence in sentences)


@pytest.mark.parametrize(
    ("tag", "sentences"),
    [
        ("owl", ["owl", "an owl", "a photo of an owl"]),
        ("rice", ["rice", "a photo of rice"]),
        ("dancing", ["dancing", "a person dancing", "a photo of people dancing"]),
        ("close-up", ["close-up", "a close-up", "this is a close-up"]),
    ],
)
def test_things_activities_and_kinds_of_picture_have_sentences_that_suit_them(
    tag: str, sentences: list[str]
) -> None:
    """Nobody writes "a photo of a screenshot"; equal sentences count once."""
    assert prompts(tag) == sentences
    assert is_activity(tag) == (tag == "dancing")


def test_class_vectors_are_the_unit_means_of_their_sentences() -> None:
    """Checked against the plain loop."""
    backend = FakeBackend()
    vectors = class_vectors(backend, MIXED.tags)
    for tag, vector in zip(MIXED.tags, vectors, strict=True):
        mean = backend.embed_texts(prompts(tag)).mean(0)
        np.testing.assert_allclose(vector, mean / np.linalg.norm(mean), atol=1e-6)
    assert vectors.dtype == np.float32


def test_the_fitting_tag_comes_first() -> None:
    """A red picture is red, whatever else is in the list."""
    tagger = ZeroShotTagger(FakeBackend(), COLOURS, at_least=1)
    for rgb, expected in (((255, 0, 0), "red"), ((0, 255, 0), "green"), ((0, 0, 255), "blue")):
        assert tagger.tag(_picture(*rgb))[0][0].tag == expected


def test_scores_are_likelihoods_in_order_and_at_most_top() -> None:
    """Between 0 and 1, none under the threshold; what another implies stands behind it."""
    tagger = ZeroShotTagger(FakeBackend(), load_vocabulary())
    names = load_vocabulary().tags
    ancestors = TagTree(names).ancestors
    pictures = np.concatenate([_picture(255, 0, 0), _picture(10, 90, 200), _picture(9, 9, 9)])
    for tags in tagger.tag(pictures, top=5):
        scores = [tag.score for tag in tags]
        assert len(tags) <= 5
        above = {names[a] for tag in tags for a in ancestors[names.index(tag.tag)]}
        unimplied = [tag.score for tag in tags if tag.tag not in above]
        assert unimplied == sorted(unimplied, reverse=True)
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
    embedded = len(backend.texts)
    np.testing.assert_array_equal(cached_class_vectors(backend, COLOURS.tags, tmp_path), first)
    assert len(backend.texts) == embedded
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-5])
    np.testing.assert_array_equal(cached_class_vectors(backend, COLOURS.tags, tmp_path), first)
    assert len(backend.texts) == 2 * embedded


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
    assert (tagger.version, backend.texts) == (tagger_version(FakeInfo(), COLOURS), [])
    picture = backend.embed_images(np.full((1, 8, 8, 3), (255, 0, 0), np.uint8))
    first = tagger.scores(picture)
    embedded = len(backend.texts)
    assert embedded > 0
    np.testing.assert_array_equal(tagger.scores(picture), first)
    assert len(backend.texts) == embedded


def test_deviations_are_counted_from_the_everyday_words_of_the_same_picture() -> None:
    """Against the plain formula; a picture that is near to every text gains nothing by it."""
    rng = np.random.default_rng(3)
    pictures, classes, everyday = (
        rng.standard_normal((n, 16)).astype(np.float32) for n in (4, 3, 9)
    )
    found = deviations(pictures, classes, everyday)
    for n, picture in enumerate(pictures):
        words = np.asarray([picture @ word for word in everyday])
        for c, tag in enumerate(classes):
            assert found[n, c] == pytest.approx((picture @ tag - words.mean()) / words.std(), 1e-3)
    # Without spread there is nothing to count in, and no error.
    assert np.isfinite(deviations(pictures, classes, everyday[:1])).all()


def test_a_tag_at_the_midpoint_is_as_likely_as_not() -> None:
    """The slope is that of the log-odds; far out nothing overflows."""
    likely = logistic(np.asarray([[2.0, 3.0, -1e9, 1e9]], np.float32), 2.0, 2.0)
    np.testing.assert_allclose(likely, [[0.5, 1 / (1 + np.exp(-2.0)), 0, 1]], atol=1e-6)


def test_the_constants_of_the_model_are_used() -> None:
    """A higher midpoint makes all less likely, a higher threshold gives fewer."""
    picture = _picture(255, 0, 0)
    plain = ZeroShotTagger(FakeBackend(), load_vocabulary())
    strict = ZeroShotTagger(FittedBackend(midpoint=4.0), load_vocabulary())
    assert (strict.scores(picture) < plain.scores(picture)).all()
    few = ZeroShotTagger(FittedBackend(threshold=0.999999), load_vocabulary())
    assert few.tag(picture, top=50) == [[]] != plain.tag(picture, top=50)


def test_a_bias_is_taken_off_its_tag_alone() -> None:
    """By name, whatever the case; a tag that the model does not know has none."""
    picture, reds = _picture(255, 0, 0), Vocabulary(name="r", tags=("Red", "blue", "xyzzy"))
    plain = ZeroShotTagger(FakeBackend(), reds)
    biased = ZeroShotTagger(FittedBackend(biases={"red": 0.5, "dog": 3.0}), reds)
    before, after = plain.scores(picture)[0], biased.scores(picture)[0]
    np.testing.assert_array_equal(after[1:], before[1:])
    odds = np.log(before / (1 - before)) - np.log(after / (1 - after))
    assert odds[0] == pytest.approx(0.5 * TagConstants().slope, abs=1e-3)


class WordsBackend(FittedBackend):
    """Three words have directions of their own; all other texts share one."""

    def embed_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(N, 4) float32 unit vectors."""
        words = ("golden retriever", "husky", "tulip")
        rows = np.zeros((len(texts), 4), np.float32)
        for row, text in zip(rows, texts, strict=True):
            row[next((n for n, word in enumerate(words) if word in text), 3)] = 1
        return rows


def test_a_picture_between_two_breeds_is_given_the_common_word() -> None:
    """Its vector fits both breeds alike; another picture's fits one flower by far."""
    pictures = np.asarray([[1, 1, 0, 0], [0, 0, 2**0.5, 0]], np.float32) / 2**0.5
    shipped = load_vocabulary()
    plain = ZeroShotTagger(WordsBackend(), shipped)
    husky = shipped.tags.index("husky")
    stands_at = float(deviations(pictures, *plain.class_vectors())[0, husky])
    # Each breed is as likely as not.
    backend = WordsBackend(midpoint=stands_at, slope=0.5)
    dog, tulip = ZeroShotTagger(backend, shipped).tag(pictures)
    assert [tag.tag for tag in dog] == ["dog", "animal"]
    assert dog[0].score == pytest.approx(2 / 3, abs=0.01)
    assert [tag.tag for tag in tulip] == ["tulip", "flower", "plant"]


def test_everyday_words_speak_for_a_tag_of_ones_own_that_they_imply() -> None:
    """What is a husky is an animal, though neither husky nor dog is in the list."""
    pictures = np.asarray([[0, 1, 0, 0], [0, 0, 1, 0]], np.float32)
    own = Vocabulary(name="mine", tags=("animal", "granny's house"))
    husky, tulip = ZeroShotTagger(WordsBackend(), own).tag(pictures)
    assert [tag.tag for tag in husky] == ["animal"]
    assert tulip == []


@pytest.mark.parametrize("tags", [("animal", "granny's house"), load_vocabulary().tags])
def test_pictures_are_compared_with_each_text_once(tags: tuple[str, ...]) -> None:
    """With those of a list of one's own and with the everyday words, as the plain formula says."""
    compared: list[int] = []

    class Counted(np.ndarray[Any, np.dtype[np.float32]]):
        def __matmul__(self, other: NDArray[np.float32]) -> NDArray[np.float32]:  # type: ignore[override]
            compared.append(other.shape[1])
            return np.asarray(self) @ other

    tagger = ZeroShotTagger(FakeBackend(), Vocabulary(name="mine", tags=tags))
    own, everyday = tagger.class_vectors()
    shipped = load_vocabulary().tags
    further = [n for n, tag in enumerate(shipped) if tag not in tags]
    pictures = np.concatenate([_picture(255, 0, 0), _picture(10, 90, 200)])
    known = deviations(pictures, np.concatenate((own, everyday[further])), everyday)
    likely = logistic(known, TagConstants().slope, TagConstants().midpoint)
    expected = TagTree([*tags, *(shipped[n] for n in further)]).raised(likely)[:, : len(tags)]
    np.testing.assert_allclose(tagger.scores(pictures.view(Counted)), expected, atol=1e-5)
    assert sum(compared) == len(shipped) + (0 if tags == shipped else len(tags))


def test_a_videos_tags_are_put_in_the_same_order() -> None:
    """A parent behind what implies it, though its score is higher."""
    tagger = ZeroShotTagger(FakeBackend(), load_vocabulary())
    scores = {"animal": 0.95, "dog": 0.93, "puppy": 0.9, "grass": 0.5}
    ordered = tagger.in_order([Tag(tag=name, score=score) for name, score in scores.items()])
    assert [tag.tag for tag in ordered] == ["puppy", "dog", "animal", "grass"]
    assert {tag.tag: tag.score for tag in ordered} == scores


def test_tags_have_a_version_of_all_that_makes_them() -> None:
    """Model, vocabulary and constants: with other ones they would come out otherwise."""
    other = Vocabulary(name="colours", tags=("green", "red", "blue"))
    fitted = TagConstants(biases={"red": 0.5})
    made_by = [
        (FakeInfo(), COLOURS),
        (FakeInfo(), other),
        (FakeInfo(), load_vocabulary()),
        (FakeInfo(model_id="other-000000000000"), COLOURS),
        (FakeInfo(tagging=fitted), COLOURS),
        (FakeInfo(tagging=TagConstants(threshold=0.5)), COLOURS),
    ]
    versions = [tagger_version(info, vocabulary) for info, vocabulary in made_by]
    assert len(set(versions)) == len(versions)
    assert all(v.startswith(info.model_id) for v, (info, _) in zip(versions, made_by, strict=True))
    assert versions == [tagger_version(info, vocabulary) for info, vocabulary in made_by]
    same = Vocabulary(name="another name", tags=COLOURS.tags)
    assert tagger_version(FakeInfo(), same) == versions[0]
