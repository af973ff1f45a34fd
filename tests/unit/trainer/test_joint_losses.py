"""Losses beside CoCa's two against slow, plain versions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from cocadesk.model.network.config import ImageEncoderKind
from cocadesk.model.network.efficientnet import load_pretrained, pretrained_weights
from cocadesk.model.network.image_encoder import EfficientNetLiteEncoder
from tests.support.tiny_model import tiny_model
from tests.support.tuning_data import CPU
from trainer.config import JointConfig
from trainer.stages.class_knowledge import ClassKnowledge, class_probabilities
from trainer.stages.losses import (
    candidate_ids,
    same_pairs,
    similarity_gap,
    soft_contrastive_loss,
    soft_targets,
    token_loss_sum,
)
from trainer.step import contrastive_loss
from trainer.words.class_tree import ClassTree
from trainer.words.counts import WordCounts
from trainer.words.wordnet import Synset, WordNet


def _unit(rows: int, width: int = 8, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(rows, width, generator=generator), dim=1)


def test_pairs_are_the_same_by_caption_or_by_text() -> None:
    """Either number is enough."""
    found = same_pairs(torch.tensor([0, 0, 1]), torch.tensor([0, 1, 1]))
    assert found.tolist() == [[True, True, False], [True, True, True], [False, True, True]]


def test_soft_targets_are_chances() -> None:
    """Rows sum to 1; the share of others falls with their distance."""
    sentences = torch.tensor([[1.0, 0.0], [0.96, 0.28], [-1.0, 0.0]])
    found = soft_targets(torch.eye(3, dtype=torch.bool), sentences, 0.2, 0.1)
    torch.testing.assert_close(found.sum(1), torch.ones(3))
    assert found.diagonal().tolist() == pytest.approx([0.8] * 3)
    assert found[0, 1] > 0.19
    assert found[0, 2] < 0.01
    hard = soft_targets(torch.eye(3, dtype=torch.bool), sentences, 0.0, 0.1)
    torch.testing.assert_close(hard, torch.eye(3))


def test_without_a_soft_share_the_loss_is_the_papers() -> None:
    """Equal captions are positives of each other in both."""
    image, text, scale = _unit(5), _unit(5, seed=1), torch.tensor(7.0)
    groups = torch.tensor([0, 0, 1, 2, 3])
    target = soft_targets(same_pairs(groups), _unit(5, seed=2), 0.0, 0.1)
    found = soft_contrastive_loss(image, text, scale, target)
    torch.testing.assert_close(found, contrastive_loss(image, text, scale, groups))


def test_the_similarity_gap_is_zero_for_like_similarities_alone() -> None:
    """A turned space has the same similarities; another has not."""
    taught = _unit(6)
    turn = torch.linalg.qr(torch.randn(8, 8, generator=torch.Generator().manual_seed(3)))[0]
    assert float(similarity_gap(taught @ turn, taught @ turn, taught, 20.0)) < 1e-5
    other = _unit(6, seed=4)
    found = float(similarity_gap(other, other, taught, 20.0))
    slow = 0.0
    for i in range(6):
        p = (20 * taught[i] @ taught.T).softmax(0)
        q = (20 * other[i] @ other.T).softmax(0)
        slow += float((p * (p / q).log()).sum()) / 6
    assert found == pytest.approx(slow, rel=1e-4)


def test_the_loss_over_all_ids_is_the_full_softmax() -> None:
    """Label smoothing too; over some ids it is that of their scores alone."""
    states, table = torch.randn(9, 4), torch.randn(30, 4)
    targets = torch.tensor([0, 29, 7, 7, 12, 3, 28, 5, 1])
    every = candidate_ids(targets, 30, 5, 30)
    assert every.tolist() == list(range(30))
    full = F.cross_entropy(states @ table.T, targets, label_smoothing=0.05, reduction="sum")
    torch.testing.assert_close(token_loss_sum(states, targets, table, every, 0.05), full)
    some = candidate_ids(targets, 4, 6, 30)
    chosen = (states @ table.T)[:, some].log_softmax(1)
    places = [some.tolist().index(int(t)) for t in targets]
    slow = -sum(chosen[i, place] for i, place in enumerate(places))
    torch.testing.assert_close(token_loss_sum(states, targets, table, some, 0.0), slow)


def test_candidates_are_the_frequent_ids_the_targets_and_a_draw() -> None:
    """Each once, in order."""
    targets = torch.tensor([2, 50, 50, 99])
    torch.manual_seed(0)
    found = candidate_ids(targets, 10, 20, 100).tolist()
    assert found == sorted(set(found))
    assert {*range(10), 50, 99} <= set(found)
    assert 13 < len(found) <= 32


_NAMES = {"n1": "animal", "n2": "dog", "n3": "pug", "n4": "husky", "n5": "owl"}
_ABOVE = {"n1": (), "n2": ("n1",), "n3": ("n2",), "n4": ("n2",), "n5": ("n1",)}
_JOINT = JointConfig(class_breadths=(1, 2), class_unsure=0.25, class_sure=0.75, class_scale=30.0)


def _knowledge(chances: list[list[float]]) -> ClassKnowledge:
    wordnet = WordNet(
        synsets={
            id_: Synset(words=(name,), gloss="", hypernyms=_ABOVE[id_], lexicographer=5)
            for id_, name in _NAMES.items()
        },
        senses={name: (id_,) for id_, name in _NAMES.items()},
    )
    counts = WordCounts(list(_NAMES.values()) * 10)
    tree = ClassTree(["n3", "n4", "n5"], wordnet, counts)
    return ClassKnowledge(tree, torch.tensor(chances).half(), _JOINT, CPU)


def _encode(texts: list[str]) -> torch.Tensor:
    """A direction for each name, whatever prompt it stands in."""
    names = ["dog", "pug", "husky", "owl"]
    rows = [next(i for i, name in enumerate(names) if text.endswith(name)) for text in texts]
    return torch.eye(4)[rows]


def test_the_classifier_teaches_its_names() -> None:
    """A picture of a pug belongs to "pug" and, among broader words, to "dog"."""
    knowledge = _knowledge([[1.0, 0.0, 0.0]])
    knowledge.refresh(_encode)  # type: ignore[arg-type]
    random, picture = np.random.default_rng(0), np.array([0])
    pug, owl, dog = (torch.eye(4)[[i]] for i in (1, 3, 0))
    both = F.normalize(pug + dog, dim=1)
    loss = {
        name: float(knowledge.loss(image, picture, random))
        for name, image in (("pug", pug), ("owl", owl), ("both", both))
    }
    assert loss["both"] < 1e-6
    assert loss["both"] < loss["pug"] < loss["owl"]
    assert loss["owl"] == pytest.approx(60, abs=0.1)


def test_an_unsure_classifier_teaches_nothing() -> None:
    """Under its least chance nothing; between the two bars a part."""
    image = _unit(1, 4)

    def loss(*chances: float) -> float:
        knowledge = _knowledge([list(chances)])
        knowledge.refresh(_encode)  # type: ignore[arg-type]
        return float(knowledge.loss(image, np.array([0]), np.random.default_rng(0)))

    assert loss(0.2, 0.0, 0.2) == 0.0
    assert loss(0.2, 0.2, 0.2) > 0  # a dog for sure enough, though of no sure breed


def test_names_have_the_mean_vector_of_their_prompts() -> None:
    """Of unit length; they stay what they were until they are made anew."""
    knowledge = _knowledge([[0.0, 0.0, 1.0]])
    seen: list[str] = []

    def encode(texts: list[str]) -> torch.Tensor:
        seen.extend(texts)
        return _encode(texts)

    knowledge.refresh(encode)  # type: ignore[arg-type]
    assert {"owl", "a photo of an owl", "a photo of a dog"} <= set(seen)
    random, picture, owl = np.random.default_rng(0), np.array([0]), torch.eye(4)[[3]]
    assert float(knowledge.loss(owl, picture, random)) < 1e-6


def test_the_classifiers_chances_are_those_of_its_whole_network() -> None:
    """Head, mean over the map and the last layer, from the kept features of the plain crop."""
    encoder = tiny_model(kind=ImageEncoderKind.EFFICIENTNET_LITE).image_encoder
    assert isinstance(encoder, EfficientNetLiteEncoder)
    load_pretrained(encoder.trunk, encoder.head, 2)
    maps = torch.rand(3, 4, encoder.trunk.channels, generator=torch.Generator().manual_seed(0))

    class Kept:
        cached = True

        def fetch(self, picture_B: np.ndarray, crop_B: np.ndarray) -> torch.Tensor:
            assert not crop_B.any()
            return maps[picture_B].half()

    found = class_probabilities(encoder, Kept(), 3, CPU)
    weights = pretrained_weights(2)
    with torch.no_grad():
        pooled = encoder.head(maps.half().float()).mean(1)
        expected = (pooled @ weights["_fc.weight"].T + weights["_fc.bias"]).softmax(1)
    assert (found.shape, found.dtype) == ((3, 1000), torch.float16)
    torch.testing.assert_close(found.float(), expected, rtol=1e-2, atol=1e-3)
    torch.testing.assert_close(found.float().sum(1), torch.ones(3), rtol=1e-2, atol=1e-2)
