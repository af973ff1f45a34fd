"""Caption metrics against hand-computed values, coco-caption's figures and their properties."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cocadesk.evaluation.captions import bleu, caption_metrics, cider_d, rouge_l, tokenize

CANDIDATES = [
    "A brown dog is running over the green grass.",
    "Two women talk on a bench.",
    "A man rides a wave",
    "The red bus stops.",
]
REFERENCES = [
    ["A brown dog runs over the grass.", "The dog is running over green grass in a park."],
    ["Two women are talking on a bench.", "Women sit and talk on a wooden bench."],
    ["A surfer rides a big wave.", "A man in a wetsuit is surfing."],
    ["A red bus stops at the street corner.", "People wait while the bus stops."],
]

_sentences = st.lists(
    st.sampled_from(["a", "dog", "cat", "runs", "sits", "on", "the", "grass", "red", "bench"]),
    min_size=1,
    max_size=9,
).map(" ".join)


def test_the_figures_are_those_of_coco_captions_own_code() -> None:
    """The expected values were printed by pycocoevalcap 1.2 on the same tokens."""
    metrics = caption_metrics(CANDIDATES, REFERENCES)
    assert metrics.cider_d == pytest.approx(2.755356703156412)
    assert metrics.bleu4 == pytest.approx(0.3176872638082519)
    assert metrics.rouge_l == pytest.approx(0.705164627797684)
    each = cider_d(
        [tokenize(text) for text in CANDIDATES],
        [[tokenize(text) for text in group] for group in REFERENCES],
    )
    assert each == pytest.approx([3.72241744, 3.2917319, 1.61033034, 2.39694714])


def test_a_caption_equal_to_its_only_reference_scores_the_maximum() -> None:
    """CIDEr-D of an identical sentence of four words or more is 10; BLEU and ROUGE are 1."""
    texts = ["a dog runs on grass", "two cats sleep in a box", "the red bus stops here"]
    metrics = caption_metrics(texts, [[text] for text in texts])
    assert metrics.cider_d == pytest.approx(10.0)
    assert metrics.bleu4 == pytest.approx(1.0)
    assert metrics.rouge_l == pytest.approx(1.0)


def test_cider_of_three_words_is_three_quarters_by_hand() -> None:
    """Without a 4-gram one of the four cosines is zero: 10 * 3 / 4."""
    texts = [["a", "cat", "sits"], ["a", "dog", "runs"]]
    assert cider_d(texts, [[text] for text in texts]) == pytest.approx([7.5, 7.5])


def test_cider_weighs_words_by_document_frequency_by_hand() -> None:
    """A word that every picture has weighs nothing; the rest is computed by hand.

    Unigrams: "a" is in both pictures (weight 0), "cat" and "sits" in one (log 2 each).
    The candidate "a cat" has the vector (cat: log 2), the reference (cat, sits): cosine
    1/sqrt(2); its 2-gram "a cat" against "a cat", "cat sits": 1/sqrt(2). No longer ones.
    Length penalty for one 2-gram less: exp(-1/72).
    """
    references = [[["a", "cat", "sits"]], [["a", "dog", "runs"]]]
    score = cider_d([["a", "cat"], ["a"]], references)
    expected = 10 / 4 * (2 / math.sqrt(2)) * math.exp(-1 / 72)
    assert score == pytest.approx([expected, 0.0])


def test_cider_with_one_picture_is_zero() -> None:
    """The document frequency of a single picture gives every n-gram the weight log 1."""
    assert cider_d([["a", "cat", "sits"]], [[["a", "cat", "sits"]]]) == [0.0]


def test_cider_clips_a_repeated_word() -> None:
    """Saying a rare word again and again does not raise the score (the "-D" change)."""
    references = [[["a", "cat", "sits", "here"]], [["the", "dog", "runs", "there"]]]
    once = cider_d([["a", "cat", "sits", "here"], ["x"]], references)[0]
    again = cider_d([["cat", "cat", "cat", "cat"], ["x"]], references)[0]
    assert again < once / 2


def test_bleu_takes_the_closest_reference_length_by_hand() -> None:
    """Five words against lengths 4 and 9: the closest is 4, so there is no brevity penalty.

    Precisions 5/5, 3/4, 1/3 and 0 with the tiny constant make the product nearly 0.
    """
    score = bleu([["a", "b", "c", "d", "e"]], [[["a", "b", "c", "x"], list("deabcfghi")]])
    assert score == pytest.approx((1.0 * (3 / 4) * (1 / 3) * 1e-15 / 2) ** 0.25, rel=1e-6)


def test_bleu_punishes_a_corpus_that_is_too_short() -> None:
    """Half the words of the reference cost exp(1 - 2)."""
    score = bleu([list("abcd")], [[list("abcdefgh")]])
    assert score == pytest.approx(math.exp(-1))


def test_rouge_is_the_f_of_the_best_precision_and_recall_by_hand() -> None:
    """The common subsequence "a c" of "a b c" and "a c d e": P 2/3, R 2/4, beta 1.2."""
    expected = (1 + 1.44) * (2 / 3) * 0.5 / (0.5 + 1.44 * (2 / 3))
    assert rouge_l(list("abc"), [list("acde")]) == pytest.approx(expected)


def test_an_empty_candidate_scores_zero_and_does_not_fail() -> None:
    """A model that says nothing is measured like any other."""
    metrics = caption_metrics(["", "a dog runs here"], [["a cat"], ["a dog runs here"]])
    assert metrics.rouge_l == pytest.approx(0.5)
    assert metrics.cider_d == pytest.approx(5.0)


@given(st.lists(st.tuples(_sentences, _sentences, _sentences), min_size=1, max_size=6))
def test_scores_stay_in_range_whatever_the_words(rows: list[tuple[str, str, str]]) -> None:
    """CIDEr-D lies in 0-10, BLEU-4 and ROUGE-L in 0-1."""
    metrics = caption_metrics([row[0] for row in rows], [row[1:] for row in rows])
    assert -1e-9 <= metrics.cider_d <= 10 + 1e-9
    assert 0 <= metrics.bleu4 <= 1 + 1e-9
    assert 0 <= metrics.rouge_l <= 1 + 1e-9


@given(st.lists(st.tuples(_sentences, _sentences), min_size=2, max_size=6))
def test_the_order_of_pictures_does_not_matter(rows: list[tuple[str, str]]) -> None:
    """The metrics are means over a set."""
    forward = caption_metrics([row[0] for row in rows], [[row[1]] for row in rows])
    turned = caption_metrics([row[0] for row in rows[::-1]], [[row[1]] for row in rows[::-1]])
    assert forward.cider_d == pytest.approx(turned.cider_d)
    assert forward.bleu4 == pytest.approx(turned.bleu4)


def test_uneven_input_is_refused() -> None:
    """Lengths that differ, no pictures, or a picture without a reference."""
    with pytest.raises(ValueError, match="2 candidates for 1"):
        caption_metrics(["a", "b"], [["a"]])
    with pytest.raises(ValueError, match="no captions"):
        caption_metrics([], [])
    with pytest.raises(ValueError, match="no reference"):
        caption_metrics(["a"], [[]])


def test_the_tokenizer_is_named_beside_the_figures() -> None:
    """A score without its tokenizer cannot be compared."""
    assert caption_metrics(CANDIDATES, REFERENCES).tokenizer.startswith("ptb-like-1")


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("A man's T-shirt, which he doesn't wear.", "a man 's t-shirt which he does n't wear"),
        ('He said: "stop!" - and (quickly) left...', "he said stop and quickly left"),
        ("The dogs' 1,000 toys cost $2.50", "the dogs 1,000 toys cost $ 2.50"),
        ("a photo from the 70's in the U.S. cannot fade", None),
        ("Dr. Smith & his/her dog at St. Mary", "dr. smith & his/her dog at st. mary"),
        ("Ein Mädchen läuft durch den Wald.", "ein mädchen läuft durch den wald"),
        ("  \n\t ", ""),
        ("\U0001f436 ???", ""),
    ],
)
def test_text_is_split_as_the_treebank_does(text: str, tokens: str | None) -> None:
    """Lower case, contractions apart, punctuation gone, hyphens and numbers kept."""
    expected = "a photo from the 70 's in the u.s. can not fade" if tokens is None else tokens
    assert tokenize(text) == expected.split()
