"""A training run as data: the settings of a TOML file, checked in one place."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

from cocadesk.errors import UserError, tr
from cocadesk.model.network.config import CocaConfig, HubnessConfig, build_config


class Schedule(StrEnum):
    """The fall of the learning rate after the warm-up."""

    COSINE = "cosine"
    LINEAR = "linear"


class Precision(StrEnum):
    """Arithmetic of a step; ``auto`` measures whether bf16 pays on this machine."""

    AUTO = "auto"
    FP32 = "fp32"
    BF16 = "bf16"


class CropKind(StrEnum):
    """The whole picture; a random part of it; such a part seen at low resolution."""

    PLAIN = "plain"
    CROP = "crop"
    LOW = "low"


@dataclass(frozen=True, slots=True, kw_only=True)
class DataConfig:
    """Shards to learn from and to choose by; relative paths start at the config file.

    ``extra_text`` are files of captions without pictures, ``other_text`` of sentences that are
    no captions; both teach words. A sample whose source ends in "(class name)" is drawn
    ``class_name_weight`` times as often as one with a human caption. Training reads at most
    ``caption_tokens`` of a caption (without its end, if it is cut), because one
    long caption makes the whole batch as long.
    """

    train: tuple[str, ...] = ()
    dev: tuple[str, ...] = ()
    extra_text: tuple[str, ...] = ()
    other_text: tuple[str, ...] = ()
    class_name_weight: float = 1.0
    class_name_suffix: str = "(class name)"
    max_samples: int = 0
    caption_tokens: int = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureConfig:
    """Cached features of a frozen trunk: crops of these ``kinds`` of each photo, first the plain.

    A "crop" shows at least ``min_area`` of the photo, mirrored half of the time, with
    slightly changed light. A "low" one shows at least ``low_min_area``, first shrunk to a
    side in ``low_px``: thumbnails lack what a network looks for. ``kind_weights`` say how
    often a step takes each (empty: equally often); ``keep_tokens`` is the share of image
    tokens that it sees.
    """

    kinds: tuple[CropKind, ...] = (CropKind.PLAIN, *(CropKind.CROP,) * 7)
    kind_weights: tuple[float, ...] = ()
    min_area: float = 0.45
    low_min_area: float = 0.6
    low_px: tuple[int, int] = (28, 80)
    mirror: bool = True
    light: float = 0.25
    keep_tokens: float = 0.6
    threads: int = 0
    cache: str = ""

    def __post_init__(self) -> None:
        known = set(CropKind)
        weights = self.kind_weights
        problems = [
            (not set(self.kinds) <= known, f"a kind of crop is one of {', '.join(CropKind)}"),
            (self.kinds[:1] != (CropKind.PLAIN,), "the first kind of crop is plain"),
            (not 0 < self.min_area <= 1, "min_area lies in (0, 1]"),
            (not 0 < self.low_min_area <= 1, "low_min_area lies in (0, 1]"),
            (not 0 < self.keep_tokens <= 1, "keep_tokens lies in (0, 1]"),
            (not 1 <= self.low_px[0] <= self.low_px[-1], "low_px are two sides, the smaller first"),
            (len(self.low_px) != 2, "low_px are two sides, the smaller first"),
            (bool(weights) and len(weights) != len(self.kinds), "kind_weights has one for each"),
            (bool(weights) and (min(weights) < 0 or sum(weights) <= 0), "kind_weights are shares"),
        ]
        _refuse(problems)
        # TOML gives plain texts.
        object.__setattr__(self, "kinds", tuple(CropKind(kind) for kind in self.kinds))


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimiserConfig:
    """AdamW and its schedule; ``accumulate`` splits a batch into equal parts.

    A ``text_rate`` above 0 is the share of the learning rate that the unimodal half has,
    whose weight decay is then ``text_decay``.
    """

    steps: int = 3000
    batch: int = 512
    accumulate: int = 1
    learning_rate: float = 1e-3
    final_rate: float = 0.01
    warmup_steps: int = 200
    schedule: Schedule = Schedule.COSINE
    weight_decay: float = 0.1
    text_rate: float = 0.0
    text_decay: float = 0.0
    beta1: float = 0.9
    beta2: float = 0.98
    clip_norm: float = 1.0
    ema_decay: float = 0.0
    precision: Precision = Precision.AUTO


@dataclass(frozen=True, slots=True, kw_only=True)
class LossConfig:
    """λ_con · L_con + λ_cap · L_cap (paper, section 3.2; its weights are 1 and 2)."""

    contrastive: float = 1.0
    caption: float = 2.0
    label_smoothing: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationConfig:
    """Measuring on the dev shards, which also decides the best checkpoint."""

    every_steps: int = 500
    caption_samples: int = 0
    beams: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class WordsConfig:
    """A text side that starts from a sentence model; without one all words are learned anew.

    ``sentence_model`` is a package, ``layers`` its layers that are taken, ``wordnet`` the
    folder of WordNet's files; ``held_out`` names a table (TSV) of rare words that are never
    taught as their common synonym, to measure by. ``other_lines`` are the most lines of
    other text that the order of the tokenizer's ids counts.
    """

    sentence_model: str = ""
    layers: tuple[int, ...] = (0, 1, 3, 5)
    wordnet: str = "/usr/share/wordnet"
    held_out: str = ""
    other_lines: int = 8000


@dataclass(frozen=True, slots=True, kw_only=True)
class DistillationConfig:
    """The first stage: the unimodal half learns the sentence model's vectors.

    Shares of a batch: captions, other text, words in prompts; the rest are glosses.
    ``cosine`` weighs the distance to the target, beside the similarities within the batch,
    taken at ``scale``. A rare word is taught as its common synonym ``as_common`` of the time;
    words that have one are drawn ``synonym_weight`` times as often.
    """

    caption_share: float = 0.40
    other_share: float = 0.08
    word_share: float = 0.36
    as_common: float = 0.7
    synonym_weight: float = 1.0
    cosine: float = 4.0
    scale: float = 20.0
    tokens: int = 40
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)


@dataclass(frozen=True, slots=True, kw_only=True)
class JointConfig:
    """The second stage, which replaces plain training: pictures join a text side that knows words.

    The text side's lowest ``locked_layers`` never learn: what they give is made once a text.
    ``soft_targets`` is the share of a contrastive target that captions of like meaning have, at
    ``soft_temperature``.
    ``anchor`` holds the texts' similarities (at ``anchor_scale``) to the sentence model's.
    ``classes`` weighs the trunk's own classifier: partitions of its classes by WordNet's
    broader words that hold ``class_breadths`` classes at most, taught where the classifier
    gives more than ``class_unsure`` (in full from ``class_sure``); the names' vectors are made
    anew every ``bank_steps``. A step learns to write at most ``human_captions``, scoring the
    ``frequent_ids``, its own and ``drawn_ids`` others.
    """

    locked_layers: int = 0
    soft_targets: float = 0.125
    soft_temperature: float = 0.06
    anchor: float = 1.0
    anchor_scale: float = 20.0
    classes: float = 0.5
    class_scale: float = 30.0
    class_unsure: float = 0.25
    class_sure: float = 0.75
    class_breadths: tuple[int, ...] = (1, 4, 12, 30, 80, 400)
    bank_steps: int = 25
    human_captions: int = 256
    frequent_ids: int = 8192
    drawn_ids: int = 256
    text_parts: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionerConfig:
    """The third stage: the multimodal half learns to write, all else is locked.

    ``crops`` are the numbers of the crops that it sees; without any the stage is left out.
    ``language_share`` of a step are captions without pictures, of ``other_lines`` at most of
    other text. Captions of at most ``short_words`` are short, those of sources that hold one of
    ``alt_text_sources`` are alt texts; those that begin with ``no_captions`` are left out.
    """

    crops: tuple[int, ...] = ()
    language_share: float = 0.15
    other_lines: int = 6000
    short_words: int = 8
    alt_text_sources: tuple[str, ...] = ("osbooks", "openstax", "wikipedia", "wikimedia")
    no_captions: str = "a photo of a"
    frequent_ids: int = 6000
    drawn_ids: int = 192
    label_smoothing: float = 0.05
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardConfig:
    """After the captioner: sampled captions are scored by CIDEr-D against the human ones.

    A step samples ``samples`` captions of at most ``most_tokens`` for each of ``pictures`` that
    have ``references`` captions; only the ``frequent_ids`` are sampled. Beside them it learns
    ``human`` captions of people, weighed ``human_weight``.
    """

    pictures: int = 96
    samples: int = 5
    references: int = 4
    most_tokens: int = 20
    frequent_ids: int = 6000
    human: int = 128
    human_weight: float = 0.3
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)


@dataclass(frozen=True, slots=True, kw_only=True)
class RareWordsConfig(DistillationConfig):
    """After the captioner: rare words are taught as their common synonyms, in the pictures' space.

    Shares as in a distillation, but the network as it was teaches. ``locked_layers`` of the text
    side do not learn; ``states`` holds what the multimodal half reads of all other texts.
    """

    locked_layers: int = 2
    states: float = 1.0


def _no_rare_words() -> RareWordsConfig:
    return RareWordsConfig(optimiser=OptimiserConfig(steps=0))


def _no_rewards() -> RewardConfig:
    return RewardConfig(optimiser=OptimiserConfig(steps=0))


def _no_distillation() -> DistillationConfig:
    return DistillationConfig(optimiser=OptimiserConfig(steps=0))


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """A whole run. ``device`` is "auto" (an accelerator that works, else the CPU) or a name.

    ``synonyms`` is a second distillation, with shares of its own; ``rare_words`` and then
    ``rewards`` follow the captioner; ``hubness`` is corrected last, and is none of
    ``model``, which is what learns. By default there is none of them.
    """

    name: str = "run"
    run: str = "runs/run"
    seed: int = 1
    device: str = "auto"
    pretrained_trunk: bool = True
    vocabulary: int = 6000
    checkpoint_steps: int = 500
    report_steps: int = 20
    data: DataConfig = field(default_factory=DataConfig)
    features: FeatureConfig = field(default_factory=FeatureConfig)
    optimiser: OptimiserConfig = field(default_factory=OptimiserConfig)
    loss: LossConfig = field(default_factory=LossConfig)
    evaluation: EvaluationConfig = field(default_factory=EvaluationConfig)
    words: WordsConfig = field(default_factory=WordsConfig)
    distillation: DistillationConfig = field(default_factory=DistillationConfig)
    synonyms: DistillationConfig = field(default_factory=_no_distillation)
    joint: JointConfig = field(default_factory=JointConfig)
    captioner: CaptionerConfig = field(default_factory=CaptionerConfig)
    rewards: RewardConfig = field(default_factory=_no_rewards)
    rare_words: RareWordsConfig = field(default_factory=_no_rare_words)
    hubness: HubnessConfig = field(default_factory=HubnessConfig)
    model: CocaConfig = field(default_factory=CocaConfig)

    def __post_init__(self) -> None:
        optimiser, joint = self.optimiser, self.joint
        knows_words = bool(self.words.sentence_model)
        problems = [
            (optimiser.steps < 1, "there must be at least one step"),
            (optimiser.batch < 2, "a contrastive batch needs two pictures"),
            (optimiser.accumulate < 1, "accumulate is 1 or more"),
            (optimiser.batch % max(optimiser.accumulate, 1), "accumulate must divide the batch"),
            (not self.data.train, "data.train names no shard"),
            (not 0 <= joint.class_unsure < joint.class_sure, "class_unsure lies below class_sure"),
            (self.rewards.samples < 2, "rewards.samples: a baseline needs two"),
            (not joint.class_breadths, "there must be at least one breadth of classes"),
            (
                joint.bank_steps < 1 or joint.text_parts < 1,
                "bank_steps and text_parts count from 1",
            ),
            # A resumed run makes the bank of its first step, as the unbroken one did there.
            (
                knows_words and self.checkpoint_steps % max(joint.bank_steps, 1),
                "checkpoint_steps must be a multiple of joint.bank_steps",
            ),
            (
                knows_words and optimiser.accumulate > 1,
                "a joint step has one part: accumulate is 1",
            ),
            (self.model.hubness.texts, "hubness is a table of the run, not of its model"),
            (
                self.hubness.texts and not knows_words,
                "hubness is corrected by the recipe with words.sentence_model alone",
            ),
        ]
        _refuse(problems)
        replace(self.model, hubness=self.hubness)  # ValueError where the banks cannot be


def _refuse(problems: Sequence[tuple[object, str]]) -> None:
    for failed, sentence in problems:
        if failed:
            raise ValueError(sentence)


def load_config(path: Path) -> TrainConfig:
    """Reads a run's TOML file.

    Raises:
        UserError: it is missing, no TOML, or says something that cannot be.
    """
    try:
        raw = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise UserError(
            tr("The training config {path} cannot be read.", path=path), f"{error}."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UserError(
            tr("The training config {path} is not valid TOML.", path=path), f"{error}."
        ) from error
    return build_config(TrainConfig, raw, "training config")


def resolve(config_path: Path, name: str) -> Path:
    """A path of the config: relative ones start at the config file's folder."""
    return (config_path.parent / name).resolve()
