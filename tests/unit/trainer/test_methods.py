"""Tuning methods: the parts that learn, the features they need, and a new one from outside."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from cocadesk.errors import UserError
from cocadesk.model.checkpoints.checkpoint import WEIGHTS
from cocadesk.model.checkpoints.weight_files import map_safetensors
from cocadesk.model.network.coca import CoCa, CocaOutput, PooledImage
from cocadesk.model.source import find_checkpoint
from cocadesk.protocol.values import TuningMethod as MethodName
from tests.support import tuning_data
from tests.support.tiny_model import tiny_model
from tests.support.tuning_photos import inner_decoder, run_teaching, write_run
from trainer.checkpoint import Weights
from trainer.tuning.dataset import GeneralSet, load_general
from trainer.tuning.methods import (
    METHODS,
    FeatureKind,
    TuningMethod,
    find_method,
    train_only,
)
from trainer.tuning.phase import Pace
from trainer.tuning.recipe import Recipe
from trainer.tuning.run import RunOptions


class ImageScale(TuningMethod):
    """A method that the trainer does not know: a factor on the image projection learns.

    As an adapter does, it adds a weight to the network, saves only that one, and
    exports a plain network with the factor multiplied in.
    """

    name = "scale"
    trained = "a factor on the image projection"
    features = FeatureKind.ENCODER
    keeps_vectors = False

    def prepare(self, model: CoCa) -> CoCa:
        train_only(model, ())
        model.register_parameter("factor", torch.nn.Parameter(torch.ones(model.config.text.width)))
        return model

    def pool(self, model: CoCa, tokens_BND: Tensor, vectors_BE: Tensor | None) -> PooledImage:
        tokens = model.generative_pooler(tokens_BND)
        return PooledImage(
            vector_BE=torch.nn.functional.normalize(self._vectors(model, tokens), dim=-1),
            tokens_BQD=tokens,
        )

    def _vectors(self, model: CoCa, tokens_BQD: Tensor) -> Tensor:
        assert model.contrastive_pooler is not None
        pooled = model.image_norm(model.contrastive_pooler(tokens_BQD)[:, 0])
        vectors: Tensor = model.image_projection(pooled * model.get_parameter("factor"))
        return vectors

    def recipe(self, photos: int) -> Recipe:
        return Recipe(steps=4, learning_rate=1e-2)

    def extra_loss(self, now: CocaOutput, before: CocaOutput, recipe: Recipe) -> Tensor:
        return (now.image_BE - before.image_BE).square().mean()

    def weights(self, model: CoCa) -> Weights:
        return {"factor": model.get_parameter("factor").detach()}

    def load_weights(self, model: CoCa, weights: Mapping[str, Tensor]) -> None:
        with torch.no_grad():
            model.get_parameter("factor").copy_(weights["factor"])

    def export(self, model: CoCa) -> CoCa:
        with torch.no_grad():
            model.image_projection.weight.mul_(model.get_parameter("factor"))
        del model.factor
        return model


def _short(recipe: Recipe) -> Recipe:
    return Recipe(
        steps=4,
        measure_every=2,
        batch=6,
        sentences=4,
        synthetic=3,
        synthetic_pool=5,
        hard_sentences=5,
        learning_rate=recipe.learning_rate,
    )


def _few() -> GeneralSet:
    whole = load_general()
    return GeneralSet(photos=whole.photos[:3], sentences=whole.sentences[:300:6])


def test_the_trainer_and_the_protocol_name_the_same_methods() -> None:
    """The trainer may not import the protocol, so the two lists are held equal here."""
    assert list(METHODS) == [str(name) for name in MethodName]
    assert all(method.name == name for name, method in METHODS.items())


def test_an_unknown_method_is_named_with_the_nearest_one() -> None:
    """And with all that there are."""
    with pytest.raises(UserError, match=r"“deper”.*Did you mean “deeper”.*head, deeper"):
        find_method("deper")
    assert find_method("head") is METHODS["head"]


def test_a_run_of_an_unknown_method_is_refused(tmp_path: Path) -> None:
    """Before a photo is read."""
    run = write_run(tmp_path / "run", photos=2, method="heads")
    with pytest.raises(UserError, match="Did you mean “head”"):
        run_teaching(run)
    assert not (run / "features").exists()


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("head", {"unimodal", "text_norm", "text_projection", "multimodal"}),
        (
            "deeper",
            {
                "unimodal",
                "text_norm",
                "text_projection",
                "multimodal",
                "generative_pooler",
                "contrastive_pooler",
                "image_norm",
                "image_projection",
            },
        ),
    ],
)
def test_a_method_locks_what_it_does_not_train(name: str, parts: set[str]) -> None:
    """The image encoder and the temperature never learn."""
    model = METHODS[name].prepare(tiny_model())
    learning = {n.split(".")[0] for n, p in model.named_parameters() if p.requires_grad}
    assert learning == parts
    assert set(METHODS[name].weights(model)) == {
        n for n, p in model.named_parameters() if p.requires_grad
    }


def test_the_head_takes_stored_vectors_as_they_are() -> None:
    """Mixed pictures have none: theirs are zero, and no loss asks for them."""
    model, method = tiny_model(), METHODS["head"]
    tokens = torch.randn(3, model.config.pooler.generative_queries, model.config.text.width)
    vectors = torch.randn(3, model.config.embedding_dim)
    pooled = method.pool(model, tokens, vectors)
    assert pooled.vector_BE is vectors
    assert pooled.tokens_BQD is tokens
    assert not method.pool(model, tokens, None).vector_BE.any()


def test_the_poolers_make_vectors_from_the_encoders_map() -> None:
    """Whatever vectors were stored."""
    model, method = tiny_model(), METHODS["deeper"]
    tokens = torch.randn(3, 16, model.config.image.width)
    pooled = method.pool(model, tokens, torch.zeros(3, model.config.embedding_dim))
    expected = model.pool(tokens)
    torch.testing.assert_close(pooled.vector_BE, expected.vector_BE)
    torch.testing.assert_close(pooled.tokens_BQD, expected.tokens_BQD)


def test_only_a_method_that_moves_vectors_anchors_them() -> None:
    """The head's vectors are locked: there is nothing to hold."""

    def output(seed: int) -> CocaOutput:
        vectors = torch.nn.functional.normalize(
            torch.randn(4, 8, generator=torch.Generator().manual_seed(seed)), dim=1
        )
        return CocaOutput(
            image_BE=vectors,
            text_BE=vectors,
            logits_PV=vectors,
            targets_P=torch.zeros(4, dtype=torch.long),
            logit_scale=torch.tensor(1.0),
        )

    recipe = Recipe(steps=1, image_anchor=3.0)
    now, before = output(0), output(1)
    assert METHODS["head"].extra_loss(now, before, recipe) == 0
    cosine = (now.image_BE * before.image_BE).sum(1)
    found = METHODS["deeper"].extra_loss(now, before, recipe)
    assert float(found) == pytest.approx(3 * float((1 - cosine).mean()), rel=1e-5)
    assert float(METHODS["deeper"].extra_loss(now, now, recipe)) == pytest.approx(0, abs=1e-5)


def test_a_method_from_outside_goes_through_a_whole_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One class and its name: trial, kept run, resume state, export; nothing else is touched."""
    monkeypatch.setitem(METHODS, ImageScale.name, ImageScale())
    run = write_run(tmp_path / "run", photos=4, method="scale")
    options = RunOptions(
        general=_few,
        recipe=_short,
        pace=Pace(checkpoint_s=0.0, point_every=1),
        open_decoder=inner_decoder,
    )
    result = run_teaching(run, options=options)
    assert result["reembed"]
    assert result["steps"] == 8
    old = map_safetensors(tmp_path / "tiny" / WEIGHTS)
    new = map_safetensors(run / "checkpoints" / "best" / WEIGHTS)
    assert {name for name in old if (old[name] != new[name]).any()} == {"image_projection.weight"}
    ratio = new["image_projection.weight"] / old["image_projection.weight"]
    np.testing.assert_allclose(ratio, ratio[:1].repeat(len(ratio), 0), rtol=1e-3)
    assert find_checkpoint(str(run)).ids().image_id == result["image_id"]
    card = (run / "checkpoints" / "best" / "README.md").read_text()
    assert "Trained parts: a factor on the image projection." in card
    assert len((run / "points.jsonl").read_text().splitlines()) == 8
    assert json.loads((run / "result.json").read_text())["is_trial"]


@pytest.mark.parametrize("method", [*METHODS.values(), ImageScale()], ids=lambda m: m.name)
def test_a_step_changes_what_the_method_trains_and_nothing_else(method: TuningMethod) -> None:
    """For every method, also one from outside."""
    learner = tuning_data.learner(method)
    model = learner.state.model
    before = {name: p.detach().clone() for name, p in model.named_parameters()}
    learner.advance()
    changed = {n for n, p in model.named_parameters() if not torch.equal(p, before[n])}
    learning = {n for n, p in model.named_parameters() if p.requires_grad}
    assert changed
    assert changed <= learning
