"""Measures whose answer is known whatever the numbers are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cocadesk.evaluation.captions import tokenize
from cocadesk.evaluation.retrieval import name_classes
from cocadesk.evaluation.runs import batches


@given(st.integers(0, 2**32 - 1), st.integers(1, 12), st.integers(1, 9))
def test_zero_shot_equals_a_slow_plain_version(seed: int, pictures: int, classes: int) -> None:
    """A loop over pictures and classes, ties against the model."""
    random = np.random.default_rng(seed)
    scores = random.integers(0, 4, (pictures, classes)).astype(np.float32)
    labels = random.integers(0, classes, pictures)
    first = five = 0
    for row, label in zip(scores.tolist(), labels.tolist(), strict=True):
        before = sum(s >= row[label] for n, s in enumerate(row) if n != label)
        first += before < 1
        five += before < 5
    found = name_classes(scores, labels).metrics()
    assert found.top1 == pytest.approx(100 * first / pictures)
    assert found.top5 == pytest.approx(100 * five / pictures)
    assert found.top1 <= found.top5


@given(st.integers(0, 2**32 - 1))
def test_zero_shot_does_not_depend_on_the_scale_of_the_scores(seed: int) -> None:
    """Only their order counts."""
    scores = np.random.default_rng(seed).normal(size=(8, 6)).astype(np.float32)
    labels = [n % 6 for n in range(8)]
    assert name_classes(scores, labels).metrics() == name_classes(3 * scores + 1, labels).metrics()


def test_one_score_for_all_classes_names_nothing() -> None:
    """A model that cannot tell gets no hit for free."""
    found = name_classes(np.ones((4, 7), np.float32), [0, 1, 2, 3]).metrics()
    assert (found.top1, found.top5) == (0.0, 0.0)


@given(st.text(max_size=80))
def test_any_text_has_tokens_without_blanks(text: str) -> None:
    """Lower case, none empty, and tokens of tokens are the same again."""
    tokens = tokenize(text)
    assert all(token and not token.isspace() and " " not in token for token in tokens)
    assert tokens == [token.lower() for token in tokens]


@given(st.lists(st.sampled_from(["a", "dog", "runs", "2.5", "t-shirt", "u.s."]), max_size=12))
def test_punctuation_and_case_change_no_token(words: list[str]) -> None:
    """Commas, quotes and brackets around words are no part of them."""
    plain = " ".join(words)
    dressed = ", ".join(f'("{word.upper()}")' for word in words)
    assert tokenize(dressed) == tokenize(plain) == words


@given(st.lists(st.integers(), max_size=100))
def test_batches_are_of_one_size_but_the_last(items: list[int]) -> None:
    """Together they are the items in their order."""
    made = [list(batch) for batch in batches(iter(items))]
    assert [item for batch in made for item in batch] == items
    assert all(len(batch) == len(made[0]) for batch in made[:-1])
    assert all(batch for batch in made)
