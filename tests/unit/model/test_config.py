"""A network's config: what survives its file, and what is refused in a sentence."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cocadesk.errors import UserError
from cocadesk.model.network.config import (
    CocaConfig,
    ImageConfig,
    ImageEncoderKind,
    NormPlace,
    PoolerConfig,
    PoolerDesign,
    TextConfig,
    Variant,
)
from cocadesk.picture_input import Resize
from tests.support.configs import paper_config, tiny_config

TINY = tiny_config()


def with_part(part: str, **changes: Any) -> CocaConfig:
    """The tiny config with other settings in one part; "" means the whole."""
    if not part:
        return replace(TINY, **changes)
    return replace(TINY, **{part: replace(getattr(TINY, part), **changes)})


@pytest.mark.parametrize(
    ("part", "changes", "sentence"),
    [
        ("image", {"width": 33}, "image width must be a multiple"),
        ("text", {"width": 33}, "text width must be a multiple"),
        ("pooler", {"heads": 5}, "multiple of the pooler's heads"),
        ("image", {"heads": 0}, "counted from 1"),
        ("image", {"patch_px": 0}, "counted from 1"),
        ("text", {"context": 39}, "at least 40 tokens"),
        ("pooler", {"generative_queries": 0}, "needs a query"),
        ("pooler", {"contrastive_queries": 2}, "one query"),
        ("", {"dropout": 1.0}, "dropout"),
        ("", {"dropout": -0.1}, "dropout"),
        ("", {"initial_temperature": 0.0}, "temperature"),
        ("text", {"variant": Variant.OPEN_CLIP, "vocabulary": 2}, "hold the markers"),
        ("image", {"trunk_variant": 3}, "Lite 0, 1 or 2"),
        ("image", {"size_px": 65}, "multiple of the patch"),
        (
            "image",
            {"variant": Variant.OPEN_CLIP, "kind": ImageEncoderKind.EFFICIENTNET_LITE},
            "is a ViT",
        ),
        ("image", {"middle_map": True}, "no middle map"),
        ("text", {"variant": Variant.OPEN_CLIP, "unimodal_norm": NormPlace.POST}, "their norms"),
    ],
)
def test_a_network_that_cannot_be_built_is_refused(
    part: str, changes: dict[str, Any], sentence: str
) -> None:
    """At once and in one place, not where a matrix does not fit."""
    with pytest.raises(ValueError, match=sentence):
        with_part(part, **changes)


@pytest.mark.parametrize("size", ["base", "large", "2.1b"])
def test_the_papers_sizes_survive_their_file(size: str) -> None:
    """All settings, as sorted JSON."""
    config = paper_config(size)
    text = config.to_json()
    assert CocaConfig.from_json(text) == config
    assert list(json.loads(text)) == sorted(json.loads(text))


@given(
    heads=st.integers(1, 4),
    layers=st.integers(0, 3),
    resize=st.sampled_from(Resize),
    design=st.sampled_from(PoolerDesign),
    context=st.integers(40, 200),
    is_lowercase=st.booleans(),
    variant=st.sampled_from(Variant),
    mean=st.tuples(*[st.floats(0, 1)] * 3),
)
@settings(max_examples=60)
def test_any_config_survives_its_file(
    heads: int,
    layers: int,
    resize: Resize,
    design: PoolerDesign,
    context: int,
    is_lowercase: bool,
    variant: Variant,
    mean: tuple[float, float, float],
) -> None:
    """Numbers to the last bit, choices by their names, lists as tuples."""
    config = CocaConfig(
        name="any",
        image=ImageConfig(
            width=12 * heads, heads=heads, layers=layers, resize=resize, mean=mean, variant=variant
        ),
        pooler=PoolerConfig(heads=1, design=design),
        text=TextConfig(context=context, lowercase=is_lowercase, variant=variant),
    )
    assert CocaConfig.from_json(config.to_json()) == config


@pytest.mark.parametrize(
    ("change", "what", "to_do"),
    [
        ({"embeding_dim": 3}, "unknown setting “embeding_dim”", "Did you mean “embedding_dim”"),
        ({"zzzz": 3}, "unknown setting “zzzz”", "Known are: name"),
        ({"image": {"resize": "stretch"}}, "cannot be “stretch”", "squash, center_crop"),
        ({"image": {"mean": 0.5}}, "image, mean must be a list", ""),
        ({"text": {"context": "64"}}, "text, context must be a int", ""),
        ({"text": {"lowercase": 1}}, "lowercase must be a bool", ""),
        ({"dropout": True}, "dropout must be a float", ""),
        ({"image": 3}, "image is not a table", ""),
    ],
)
def test_a_setting_that_cannot_be_followed_is_named(
    change: dict[str, Any], what: str, to_do: str
) -> None:
    """With its place in the file and what would do."""
    raw = json.loads(TINY.to_json())
    for name, value in change.items():
        raw[name] = raw.get(name, {}) | value if isinstance(value, dict) else value
    with pytest.raises(UserError) as caught:
        CocaConfig.from_json(json.dumps(raw))
    assert what in caught.value.what
    assert to_do in caught.value.what_to_do


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '"coca"'])
def test_what_is_no_config_is_refused_in_a_sentence(text: str) -> None:
    """A cut file, or another program's."""
    with pytest.raises(UserError, match="config"):
        CocaConfig.from_json(text)


def test_an_impossible_network_in_a_file_says_why() -> None:
    """The same check as for one that is built here."""
    raw = json.loads(TINY.to_json())
    raw["text"]["context"] = 8
    with pytest.raises(UserError, match="cannot be used") as caught:
        CocaConfig.from_json(json.dumps(raw))
    assert "40 tokens" in caught.value.why


def test_a_whole_number_does_for_a_decimal_one() -> None:
    """People write ``dropout = 0``."""
    raw = json.loads(TINY.to_json())
    raw["dropout"] = 0
    assert CocaConfig.from_json(json.dumps(raw)) == TINY


def test_a_setting_that_came_later_changes_no_older_file() -> None:
    """Else every id made before would name another network."""
    assert '"variant"' not in TINY.to_json()
    assert " variant=" not in TINY.image_text()
    other = with_part("image", variant=Variant.OPEN_CLIP)
    assert json.loads(other.to_json())["image"]["variant"] == "open_clip"
    assert other.image_text() != TINY.image_text()


def test_a_middle_map_and_a_sentence_models_norms_are_named_where_they_are_used() -> None:
    """The first makes other vectors of pictures, the second does not."""
    trunk = with_part("image", kind=ImageEncoderKind.EFFICIENTNET_LITE)
    middle = replace(trunk, image=replace(trunk.image, middle_map=True))
    assert middle.image_text() == f"{trunk.image_text()} middle_map=True"
    assert "middle_map" not in trunk.image_text() + trunk.to_json()
    assert CocaConfig.from_json(middle.to_json()) == middle
    post = with_part("text", unimodal_norm=NormPlace.POST)
    assert post.image_text() == TINY.image_text()
    assert "unimodal_norm" not in TINY.to_json()
    assert CocaConfig.from_json(post.to_json()) == post


def test_what_shapes_image_vectors_is_in_their_text_and_nothing_else_is() -> None:
    """Another name, vocabulary or dropout leaves stored vectors valid."""
    same = [
        replace(TINY, name="other", dropout=0.1, initial_temperature=1.0),
        with_part("text", vocabulary=300, context=50),
    ]
    other = [
        with_part("image", size_px=128),
        with_part("image", resize=Resize.CENTER_CROP),
        with_part("pooler", generative_queries=5),
        replace(TINY, embedding_dim=16),
    ]
    assert {config.image_text() for config in same} == {TINY.image_text()}
    assert TINY.image_text() not in {config.image_text() for config in other}


def test_each_variant_has_its_markers() -> None:
    """Ours stand at the beginning of the vocabulary, CLIP's at its end."""
    paper, clip = TextConfig(), TextConfig(variant=Variant.OPEN_CLIP, vocabulary=49_408)
    assert (paper.pad_id, paper.begin_id, paper.end_id) == (0, 1, 2)
    assert (clip.pad_id, clip.begin_id, clip.end_id) == (0, 49_406, 49_407)
