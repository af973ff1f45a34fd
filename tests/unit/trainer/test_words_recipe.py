"""A whole tiny run of the recipe that knows words: all stages, killed anywhere, and resumed."""

from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from cocadesk.errors import UserError
from cocadesk.model.backend import open_backend
from cocadesk.model.checkpoints.checkpoint import open_checkpoint
from cocadesk.model.checkpoints.weight_files import map_safetensors
from cocadesk.model.network.config import build_config
from tests.support.tiny_shards import COLOURS, add, jpeg, write_shard
from tests.support.tiny_words import index_line, synset_line, write_package, write_wordnet
from trainer.config import TrainConfig
from trainer.stages.loop import TrainReport
from trainer.stages.session import train

_CAPTIONS = """
[captioner]
crops = [0, 1]
no_captions = "no such"
language_share = 0.3
frequent_ids = 20
drawn_ids = 5
[captioner.optimiser]
steps = 3
batch = 8
warmup_steps = 1
precision = "fp32"
[rewards]
pictures = 3
samples = 3
references = 2
most_tokens = 8
frequent_ids = 40
human = 4
[rare_words]
locked_layers = 1
as_common = 0.9
[rare_words.optimiser]
steps = 2
batch = 9
warmup_steps = 1
precision = "fp32"
[rewards.optimiser]
steps = 2
learning_rate = 1e-4
warmup_steps = 1
precision = "fp32"
[hubness]
texts = 600
photos = 5
"""
_RUNS = ("whole", "broken")
_PACKAGE = "tiny_sentences_of_a_run"
_CONFIG = """
run = "{run}"
checkpoint_steps = 2
report_steps = 1
[data]
train = ["train.tar"]
dev = ["dev.tar"]
extra_text = ["extra.txt"]
other_text = ["other.txt"]
class_name_weight = 0.6
caption_tokens = 14
[features]
kinds = ["plain", "low"]
keep_tokens = 0.8
[words]
sentence_model = "{package}"
layers = [0, 2]
wordnet = "wordnet"
held_out = "pairs.tsv"
[distillation.optimiser]
steps = 3
batch = 12
warmup_steps = 1
precision = "fp32"
[synonyms]
synonym_weight = 8.0
as_common = 0.9
[synonyms.optimiser]
steps = 2
batch = 9
warmup_steps = 1
precision = "fp32"
[joint]
locked_layers = 1
bank_steps = 2
human_captions = 5
frequent_ids = 20
drawn_ids = 8
class_unsure = 0.0
text_parts = 2
[optimiser]
steps = 4
batch = 10
learning_rate = 3e-3
text_rate = 0.1
warmup_steps = 1
ema_decay = 0.9
precision = "fp32"
[evaluation]
every_steps = 3
caption_samples = 2
{captions}[model]
name = "tiny"
embedding_dim = 24
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
unimodal_layers = 2
multimodal_layers = 1
unimodal_norm = "post"
tie_output = true
lowercase = true
"""


class _KilledError(BaseException):
    pass


def _ignore(event: TrainReport) -> None:
    return None


def _write_words(folder: Path) -> None:
    """A WordNet of a few words; a shard with human captions and class names."""
    nouns = [
        synset_line("01", ["animal"], "a living thing", file=3),
        synset_line("02", ["abc"], "a kind", "01"),
        synset_line("03", ["cat"], "another", "01"),
    ]
    index = [index_line("animal", "01"), index_line("abc", "02"), index_line("cat", "03")]
    write_wordnet(folder / "wordnet", nouns, index)
    (folder / "extra.txt").write_text("an animal\n" * 9)
    (folder / "other.txt").write_text("there is a red dog\n")
    (folder / "pairs.tsv").write_text("rare\tcommon\nabc\tanimal\n")
    write_shard(folder / "train.tar", 14)
    with tarfile.open(folder / "train.tar", "a") as tar:
        for number in range(6):
            record = {"captions": ["a photo of an abc"], "source": "kinds (class name)"}
            add(tar, f"n{number}.jpg", jpeg(COLOURS["red"], number))
            add(tar, f"n{number}.json", json.dumps(record).encode())
    write_shard(folder / "dev.tar", 6, seed=1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data, words and one feature cache for every run of this file."""
    path = tmp_path_factory.mktemp("words")
    _write_words(path)
    write_package(path / "site", _PACKAGE)
    return path


@pytest.fixture(autouse=True)
def _installed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(folder / "site"))


def _config(folder: Path, run: str, *changes: tuple[str, str], captions: str = "") -> Path:
    text = _CONFIG.format(run=run, package=_PACKAGE, captions=captions)
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / f"{run}.toml"
    path.write_text(text)
    return path


def _hash(run: Path) -> str:
    """Of the weights at the end, without their average."""
    return hashlib.sha256((run / "state" / "state.safetensors").read_bytes()).hexdigest()


def _rows(run: Path) -> dict[int, dict[str, float]]:
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return {row["step"]: row for row in rows if "loss" in row}


def test_a_run_killed_anywhere_ends_with_the_same_weights(folder: Path) -> None:
    """In every stage, hash for hash; and the model is usable."""
    events: list[TrainReport] = []
    figures = train(_config(folder, "whole", captions=_CAPTIONS), events.append)
    whole = folder / "whole"
    assert {event.stage for event in events} >= {
        "distillation",
        "train",
        "captions",
        "rewards",
        "rare_words",
        "dev",
    }
    assert figures["dev/t2i_r10"] > 0
    saved = map_safetensors(whole / "checkpoints" / "best" / "model.safetensors")
    assert saved["unimodal.layers.0.attention.query.weight"].dtype == np.int8
    with open_backend(str(whole)) as backend:
        assert backend.embed_texts(["a red picture"]).shape == (1, 24)

    deaths = iter(
        [
            ("distillation", 3),
            ("synonyms", 1),
            ("train", 1),
            ("train", 3),
            ("captions", 3),
            ("rare_words", 1),
            ("rewards", 1),
        ]
    )
    config = _config(folder, "broken", captions=_CAPTIONS)
    for stage, done in deaths:

        def dying(event: TrainReport, at: tuple[str, int] = (stage, done)) -> None:
            if (event.stage, event.done) == at:
                raise _KilledError

        with pytest.raises(_KilledError):
            train(config, dying)
    train(config, _ignore)
    for stage in (".", "distillation", "synonyms", "captions", "rewards", "rare_words"):
        assert _hash(folder / "broken" / stage) == _hash(whole / stage)
    ids = [open_checkpoint(folder / run / "checkpoints" / "best").ids() for run in _RUNS]
    assert ids[0] == ids[1]
    rows = _rows(whole)
    assert sorted(rows) == [1, 2, 3, 4]
    assert all(rows[step]["caption"] > 0 for step in rows)
    assert rows[3]["anchor"] > 0
    assert train(config, _ignore) == figures


def test_the_locked_layers_stay_where_distillation_left_them(folder: Path) -> None:
    """The table and the lowest layer are not among the weights that learn; those above change."""
    config = _config(folder, "locked")
    train(config, _ignore)
    state = load_file(folder / "locked" / "state" / "state.safetensors")
    text = load_file(folder / "locked" / "synonyms" / "state" / "state.safetensors")
    learned = {name for name in state if name.startswith("model.unimodal.")}
    assert learned
    assert all(name.startswith("model.unimodal.layers.1.") for name in learned)
    changed = [
        not torch.equal(state[name], text[name.replace("model.unimodal.", "model.text.")])
        for name in learned
    ]
    assert any(changed)
    curve = (folder / "locked" / "distillation" / "metrics.jsonl").read_text().splitlines()
    last = json.loads(curve[-1])
    assert {"dev/cosine", "words/cosine"} <= set(last)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ((f'"{_PACKAGE}"', '"no_such_package"'), "pip install no-such-package"),
        (('wordnet = "wordnet"', 'wordnet = "nowhere"'), "wordnet-base"),
        (("layers = [0, 2]", "layers = [0]"), "as many unimodal_layers"),
        (("checkpoint_steps = 2", "checkpoint_steps = 3"), "multiple of joint.bank_steps"),
        (("batch = 10", "batch = 10\naccumulate = 2"), "accumulate is 1"),
        (("class_unsure = 0.0", "class_unsure = 0.9"), "below class_sure"),
    ],
)
def test_settings_that_cannot_be_are_sentences(
    folder: Path, change: tuple[str, str], words: str
) -> None:
    """With what to install or to change."""
    with pytest.raises(UserError, match=words):
        train(_config(folder, f"bad-{abs(hash(words))}", change), _ignore)


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ({"texts": 5}, "both banks"),
        ({"texts": 5, "photos": 5, "text_scale": 0.0}, "above 0"),
        ({"texts": -1, "photos": 5}, "texts is -1"),
    ],
)
def test_banks_that_cannot_be_are_refused_before_a_run_of_hours(
    table: dict[str, float], why: str
) -> None:
    """The config says so when it is read."""
    words, data = {"sentence_model": "any"}, {"train": ["some.tar"]}
    with pytest.raises(UserError) as caught:
        build_config(TrainConfig, {"words": words, "data": data, "hubness": table}, "config")
    assert why in caught.value.why
