"""A whole tiny run: it learns, resumes exactly, and says what is wrong with its input."""

from __future__ import annotations

import json
import math
import tarfile
from pathlib import Path

import pytest
import torch

from cocadesk.errors import UserError
from cocadesk.model.backend import open_backend
from tests.support.tiny_shards import COLOURS, add, jpeg, write_shard
from trainer.config import load_config
from trainer.pictures.data import Sampler, load_dataset
from trainer.stages.loop import TrainReport
from trainer.stages.session import train

_MODEL = """
[model]
name = "tiny"
embedding_dim = 32
dropout = 0.1
[model.image]
size_px = 64
patch_px = 16
width = 32
layers = 1
heads = 2
mlp_width = 64
[model.pooler]
generative_queries = 4
heads = 2
[model.text]
context = 40
width = 32
heads = 2
mlp_width = 64
unimodal_layers = 1
multimodal_layers = 1
lowercase = true
"""


def _config(folder: Path, *, run: str = "run", steps: int = 12, extra: str = "") -> Path:
    if not (folder / "train.tar").exists():
        write_shard(folder / "train.tar", 24)
        write_shard(folder / "dev.tar", 12, seed=1)
    path = folder / f"{run}.toml"
    path.write_text(
        f"""
run = "{run}"
vocabulary = 400
checkpoint_steps = 4
report_steps = 1
[data]
train = ["train.tar"]
dev = ["dev.tar"]
[features]
kinds = ["plain", "crop"]
keep_tokens = 0.8
[optimiser]
steps = {steps}
batch = 12
accumulate = 2
learning_rate = 3e-3
warmup_steps = 4
precision = "fp32"
ema_decay = 0.9
[evaluation]
every_steps = 8
{extra}
{_MODEL}
"""
    )
    return path


def _ignore(event: TrainReport) -> None:
    return None


def _losses(run: Path) -> dict[int, float]:
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return {row["step"]: row["loss"] for row in rows if "loss" in row}


def test_a_run_learns_and_leaves_a_usable_model(tmp_path: Path) -> None:
    """The loss falls, the run folder is whole, the door opens it."""
    events: list[TrainReport] = []
    figures = train(_config(tmp_path, steps=60), events.append)
    losses = _losses(tmp_path / "run")
    assert losses[60] < losses[1] - 1
    assert figures["dev/t2i_r10"] > 0
    with open_backend(str(tmp_path / "run")) as backend:
        assert backend.embed_texts(["a red picture"]).shape == (1, 32)
    card = (tmp_path / "run" / "checkpoints" / "best" / "README.md").read_text()
    assert "24 pictures with 48 captions" in card
    assert any(event.seconds_left is not None for event in events if event.stage == "train")


def test_a_resumed_run_gives_the_losses_of_an_unbroken_one_exactly(tmp_path: Path) -> None:
    """Killed some steps after its last state, the run goes on from there, bit for bit."""
    train(_config(tmp_path, run="whole"), _ignore)

    class Killed(BaseException):
        pass

    def dying(event: TrainReport) -> None:
        if event.stage == "train" and event.done == 7:
            raise Killed

    config = _config(tmp_path, run="broken")
    with pytest.raises(Killed):
        train(config, dying)
    train(config, _ignore)
    assert _losses(tmp_path / "broken") == _losses(tmp_path / "whole")
    assert sorted(_losses(tmp_path / "broken")) == list(range(1, 13))


def test_broken_pictures_and_empty_captions_are_counted_and_skipped(tmp_path: Path) -> None:
    """The run goes on with the rest and the card says what was left out."""
    config = _config(tmp_path, steps=2)
    with tarfile.open(tmp_path / "train.tar", "a") as tar:
        add(tar, "x1.jpg", b"\xff\xd8\xff broken")
        add(tar, "x1.json", b'{"captions": ["a dog"]}')
        add(tar, "x2.jpg", jpeg(COLOURS["red"], 5))
        add(tar, "x2.json", b'{"captions": ["  "]}')
    train(config, _ignore)
    card = (tmp_path / "run" / "checkpoints" / "best" / "README.md").read_text()
    assert "1 × an empty caption" in card
    assert "1 × a picture that cannot be read" in card


def test_accumulation_sees_the_same_pictures(tmp_path: Path) -> None:
    """A batch split in two covers the drawn batch once."""
    config = load_config(_config(tmp_path))
    dataset = load_dataset([tmp_path / "train.tar"], lowercase=True)
    sampler = Sampler(dataset, config.optimiser.batch, config.features, 1)
    draws = [sampler.draw(step) for step in range(4)]
    epoch = [int(p) for draw in draws[:2] for p in draw.picture_B]
    assert sorted(epoch) == list(range(24))
    again = Sampler(dataset, config.optimiser.batch, config.features, 1).draw(3)
    assert (again.picture_B == draws[3].picture_B).all()
    assert (again.caption_B == draws[3].caption_B).all()


def test_mistakes_in_a_config_are_named(tmp_path: Path) -> None:
    """Unknown settings, impossible values and foreign run folders give sentences."""
    bad = tmp_path / "bad.toml"
    bad.write_text('[data]\ntrain = ["x.tar"]\n[optimiser]\nstep = 3\n')
    with pytest.raises(UserError, match="Did you mean “steps”"):
        load_config(bad)
    bad.write_text('[data]\ntrain = ["x.tar"]\n[optimiser]\nbatch = 5\naccumulate = 2\n')
    with pytest.raises(UserError, match="accumulate must divide"):
        load_config(bad)
    bad.write_text("steps = [")
    with pytest.raises(UserError, match="not valid TOML"):
        load_config(bad)
    config = _config(tmp_path, steps=2)
    train(config, _ignore)
    config.write_text(config.read_text().replace("steps = 2", "steps = 3"))
    with pytest.raises(UserError, match="belongs to another config"):
        train(config, _ignore)


def test_a_damaged_resume_state_gives_a_sentence(tmp_path: Path) -> None:
    """The way out is named: delete the state."""
    config = _config(tmp_path, steps=6)
    train(config, _ignore)
    state = tmp_path / "run" / "state" / "state.safetensors"
    state.write_bytes(state.read_bytes()[:100])
    with pytest.raises(UserError, match="to start again"):
        train(config, _ignore)


def test_the_cached_trunk_equals_the_trunk(tmp_path: Path) -> None:
    """Cached features of crop 0 are those of the plain picture, and are found again."""
    from cocadesk.model.network.config import ImageEncoderKind
    from cocadesk.model.network.efficientnet import load_pretrained
    from cocadesk.model.network.image_encoder import EfficientNetLiteEncoder
    from tests.support.tiny_model import tiny_model
    from trainer.config import FeatureConfig
    from trainer.device import TrainDevice
    from trainer.pictures.features import PictureCrops, cache_features, decode

    examples = load_dataset([write_shard(tmp_path / "s.tar", 3)], lowercase=False).examples
    encoder = tiny_model(kind=ImageEncoderKind.EFFICIENTNET_LITE).image_encoder
    assert isinstance(encoder, EfficientNetLiteEncoder)
    load_pretrained(encoder.trunk, encoder.head, 2)
    pictures = PictureCrops(examples, 64, FeatureConfig(), seed=1)
    calls: list[int] = []

    def fill(crops: int) -> torch.Tensor:
        cache = cache_features(
            encoder,
            pictures,
            examples,
            crops=crops,
            folder=tmp_path / "cache",
            label="test",
            threads=0,
            device=TrainDevice(device=torch.device("cpu")),
            progress=lambda done, total: calls.append(done),
        )
        return cache.fetch(torch.arange(3).numpy(), torch.zeros(3, dtype=torch.long).numpy())

    cached = fill(2)
    assert calls[-1] == 6
    assert decode(examples[0].image) is not None
    with torch.inference_mode():
        plain = encoder.features(torch.from_numpy(pictures.crop(0, 0)[None]))
    cosine = torch.nn.functional.cosine_similarity(
        cached[0].float().flatten(), plain.flatten(), dim=0
    )
    assert cosine > 0.999
    calls.clear()
    fill(2)
    assert calls == []


def test_a_training_that_diverges_stops_and_says_what_to_change(tmp_path: Path) -> None:
    """At the first loss that is no number; a resume from the last good state says the same."""
    config = _config(tmp_path, steps=40)
    config.write_text(config.read_text().replace("learning_rate = 3e-3", "learning_rate = 1e9"))
    for _ in range(2):
        with pytest.raises(UserError, match="diverged") as told:
            train(config, _ignore)
        assert "Lower optimiser.learning_rate" in told.value.what_to_do
    losses = _losses(tmp_path / "run").values()
    assert all(math.isfinite(loss) for loss in losses)


def test_shards_that_teach_nothing_say_why(tmp_path: Path) -> None:
    """The reasons with their numbers."""
    with tarfile.open(tmp_path / "train.tar", "w") as tar:
        for name in ("0.jpg", "0.jpg", "0.txt", "1.txt"):
            add(tar, name, b"x")
    with pytest.raises(UserError, match="2 x a sample whose key stands there twice; 1 x a text"):
        load_dataset([tmp_path / "train.tar"], lowercase=True)
