"""WordNet from a few lines: the reader, broader words, partitions, sentences, class names."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from cocadesk.errors import UserError
from tests.support.tiny_words import index_line, synset_line, write_wordnet
from trainer.config import DistillationConfig, OptimiserConfig
from trainer.pictures.data import Example
from trainer.words.class_names import ClassName, class_name
from trainer.words.class_tree import ClassTree, imagenet_classes
from trainer.words.corpus import Corpus, read_held_out
from trainer.words.counts import WordCounts, with_article
from trainer.words.sentences import teachable_words
from trainer.words.wordnet import WordNet, read_wordnet

_ANIMAL, _DOG, _PUG, _HUSKY, _OWL, _MIMIR = "01", "02", "03", "04", "05", "06"
_CLASSES = [f"n{offset}" for offset in (_PUG, _HUSKY, _OWL)]


@pytest.fixture
def wordnet(tmp_path: Path) -> WordNet:
    """Three kinds of animals, two of them dogs, a proper name and a verb."""
    nouns = [
        synset_line(_ANIMAL, ["animal", "beast"], "a living thing", file=3),
        synset_line(_DOG, ["dog", "domestic_dog"], 'a pet; "the dog barked"', _ANIMAL),
        synset_line(_PUG, ["pug", "pug-dog"], "Small dog; short hair", _DOG),
        synset_line(_HUSKY, ["husky", "2-mutt"], "sled dog", _DOG),
        synset_line(_OWL, ["bird_of_Minerva", "owl", "hooter"], "night bird", _ANIMAL),
        synset_line(_MIMIR, ["Mimir"], "a giant", file=15),
    ]
    index = [
        index_line("animal", _ANIMAL),
        index_line("dog", _DOG),
        index_line("pug", _PUG),
        index_line("husky", "99", "98", "97", _HUSKY),
        index_line("owl", _OWL),
        index_line("hooter", _OWL),
    ]
    verbs = [synset_line("01", ["bark(a)"], "utter a cry", kind="v", file=32)]
    return read_wordnet(write_wordnet(tmp_path / "wordnet", nouns, index, verbs))


def _counts() -> WordCounts:
    return WordCounts(["an animal"] * 30 + ["a dog"] * 60 + ["an owl at night"] * 3)


def test_meanings_are_read_with_words_gloss_and_what_is_broader(wordnet: WordNet) -> None:
    """Spaces for underscores, no examples, ids as ImageNet writes them."""
    dog = wordnet.synsets["n02"]
    assert dog.words == ("dog", "domestic dog")
    assert (dog.gloss, dog.hypernyms, dog.lexicographer) == ("a pet", ("n01",), 5)
    assert wordnet.synsets["v01"].words == ("bark",)
    assert wordnet.chain("n03") == ["n03", "n02", "n01"]
    assert wordnet.rank("husky", "n04") == 3
    assert wordnet.rank("husky", "n03") == 9


def test_a_circle_of_broader_meanings_ends(tmp_path: Path) -> None:
    """WordNet 3.0 has one among verbs."""
    nouns = [synset_line("01", ["a"], "x", "02"), synset_line("02", ["b"], "y", "01")]
    found = read_wordnet(write_wordnet(tmp_path, nouns, []))
    assert found.chain("n01") == ["n01", "n02"]


def test_a_missing_wordnet_says_how_to_get_it(tmp_path: Path) -> None:
    """And files of another kind are told apart from it."""
    with pytest.raises(UserError, match="apt install wordnet-base"):
        read_wordnet(tmp_path)
    folder = write_wordnet(tmp_path / "odd", ["no synset at all"], [])
    with pytest.raises(UserError, match="another format"):
        read_wordnet(folder)


def test_classes_have_names_that_people_use(wordnet: WordNet) -> None:
    """The first clear word and the commonest; broader words only where captions have them."""
    tree = ClassTree(_CLASSES, wordnet, _counts())
    assert tree.names("n05") == ["owl"]
    assert tree.names("n04") == ["husky"]
    assert tree.names("n03") == ["pug"]
    assert tree.names("n01") == ["animal"]
    assert ClassTree(_CLASSES, wordnet, WordCounts([])).names("n01") == []


def test_a_partition_joins_classes_under_broader_words(wordnet: WordNet) -> None:
    """Each class is in one group; a group holds no more classes than asked."""
    tree = ClassTree(_CLASSES, wordnet, _counts())
    for breadth, groups, group in (
        (1, ("n03", "n04", "n05"), [0, 1, 2]),
        (2, ("n02", "n05"), [0, 0, 1]),
        (3, ("n01",), [0, 0, 0]),
    ):
        found = tree.partition(breadth)
        assert (found.groups, found.group_C.tolist()) == (groups, group)
    nameless = ClassTree(_CLASSES, wordnet, WordCounts([]))
    assert nameless.partition(3).groups == ("n03", "n04", "n05")


def test_the_classes_are_the_trunks_thousand() -> None:
    """In timm's list, which is read without importing timm."""
    classes = imagenet_classes()
    assert len(set(classes)) == 1000
    assert classes[0] == "n01440764"


def test_words_are_counted_by_their_rarest_part() -> None:
    """A phrase is as common as its rarest word."""
    counts = WordCounts(["a red dog", "a dog"])
    assert [counts.of(text) for text in ("dog", "red dog", "Dog", "cat", "123")] == [2, 1, 2, 0, 0]
    assert [with_article(word) for word in ("owl", "dog")] == ["an owl", "a dog"]


def test_a_phrase_that_was_asked_for_is_counted_whole() -> None:
    """Swimmers and costumes in many captions make no swimming costume common."""
    texts = ["a swimming dog", "a red costume", "a bathing suit", "one bathing suit is red"]
    counts = WordCounts(texts, ["swimming costume", "bathing suit", "dog", "is red here"])
    phrases = ("swimming costume", "bathing suit", "dog", "is red here", "red costume")
    assert [counts.of(text) for text in phrases] == [0, 2, 1, 0, 1]


def test_a_rare_word_is_taught_as_its_common_synonym(wordnet: WordNet) -> None:
    """But not where it is held out to measure by, or mostly means another."""
    counts = WordCounts(["an owl"] * 50)
    found = {word.text: word for word in teachable_words(wordnet, counts)}
    assert found["hooter"].common == "owl"
    assert found["owl"].common is None
    assert found["bark"].is_noun is False
    assert "mimir" in found
    assert "2-mutt" not in found
    assert found["bird of minerva"].common is None  # of which it is not the first meaning
    held = {word.text: word for word in teachable_words(wordnet, counts, {"hooter"})}
    assert held["hooter"].common is None
    assert found["pug"].weight > 0


def _corpus(wordnet: WordNet, captions: list[str], other: list[str]) -> Corpus:
    return Corpus(
        captions=captions,
        extra=[],
        other=other,
        counts=WordCounts(["an owl"] * 50),
        wordnet=wordnet,
    )


def test_a_steps_sentences_depend_on_seed_and_step_alone(wordnet: WordNet) -> None:
    """In the shares asked for; a caption's target is itself."""
    pool = _corpus(wordnet, ["caption one", "caption two"], ["other"]).sentences()
    config = DistillationConfig(
        caption_share=0.4, other_share=0.1, word_share=0.3, optimiser=OptimiserConfig(batch=50)
    )
    drawn = pool.draw(config, 1, 5)
    assert drawn == pool.draw(config, 1, 5)
    assert drawn != pool.draw(config, 1, 6)
    assert drawn != pool.draw(config, 2, 5)
    assert len(drawn.texts) == len(drawn.targets) == 50
    kinds = Counter(text.split()[0] for text in drawn.texts[:25])
    assert kinds == {"caption": 20, "other": 5}
    assert drawn.texts[:25] == drawn.targets[:25]
    assert drawn.texts[40:] == drawn.targets[40:]
    without = _corpus(wordnet, ["caption one"], []).sentences().draw(config, 1, 5)
    assert len(without.texts) == 50
    assert "other" not in without.texts


def test_a_synonyms_prompt_is_that_of_the_word(wordnet: WordNet) -> None:
    """Only the word itself is another, with its own article."""
    pool = _corpus(wordnet, ["c"], []).sentences()
    config = DistillationConfig(
        caption_share=0.0, other_share=0.0, word_share=1.0, optimiser=OptimiserConfig(batch=400)
    )
    drawn = pool.draw(config, 1, 0)
    pairs = {
        (text, target)
        for text, target in zip(drawn.texts, drawn.targets, strict=True)
        if text != target
    }
    assert ("hooter", "owl") in pairs
    assert pairs
    for text, target in pairs:
        assert text.replace("a hooter", "an owl").replace("hooter", "owl") == target


def test_held_out_words_are_read_from_a_table(tmp_path: Path) -> None:
    """A table without them is a sentence."""
    path = tmp_path / "pairs.tsv"
    path.write_text("rare\tcommon\naerodrome\tairport\n")
    assert read_held_out(path) == {"aerodrome"}
    path.write_text("word\tcommon\naerodrome\tairport\n")
    with pytest.raises(UserError, match="a column “rare”"):
        read_held_out(path)


def test_a_class_name_has_broader_words_and_synonyms(wordnet: WordNet) -> None:
    """Taken out of its caption; a name that WordNet lacks stands alone."""
    found = class_name("a photo of an owl", wordnet, _counts())
    assert found == ClassName(
        name="owl", broader=("animal",), synonyms=("bird of minerva", "hooter")
    )
    assert class_name("pug", wordnet, _counts()).broader == ("dog", "animal")
    alone = class_name("a photo of a florbit", wordnet, _counts())
    assert alone == ClassName(name="florbit", broader=(), synonyms=())
    example = Example(key="k", image=b"", captions=("a photo of an owl",), weight=1.0)
    named = Example(key="n", image=b"", captions=example.captions, weight=1.0, is_class_name=True)
    assert _corpus(wordnet, [], []).class_names([example, named]).keys() == {1}


def test_captions_of_a_class_name_say_it_in_many_ways() -> None:
    """Mostly by its own name; the article is that of the word."""
    name = ClassName(name="owl", broader=("bird",), synonyms=("hooter",))
    random = np.random.default_rng(0)
    said = Counter(name.caption(random) for _ in range(600))
    by_name = sum(count for text, count in said.items() if "owl" in text)
    assert 0.5 < by_name / 600 < 0.7
    assert {"owl", "a photo of an owl", "a photo of the bird", "a photo of a hooter"} <= set(said)
    assert not any("a owl" in text for text in said)
