"""The stages after the main one: each teaches a part of the network, all else is locked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from trainer.pictures.features import Progress
from trainer.stages.captioner import CaptionerObjective
from trainer.stages.objectives import CocaObjective, TrainContext
from trainer.stages.rare_words import RareWordsObjective
from trainer.stages.rewards import RewardObjective
from trainer.words.corpus import Corpus
from trainer.words.sentences import SentencePool

CAPTIONS, REWARDS, RARE_WORDS = "captions", "rewards", "rare_words"


def later_stages(
    context: TrainContext, corpus: Corpus, pool: Callable[[], SentencePool], progress: Progress
) -> Iterator[tuple[str, Callable[[], CocaObjective]]]:
    """Names of the stages that the config asks for, and their makers.

    ``pool`` makes the sentences of rare words; ``progress`` is that of pooling pictures.
    Captions are scored last, by the text side as it will be.
    """
    config, pooled = context.config, context.run.path / CAPTIONS
    if config.captioner.crops:
        language = [*corpus.extra, *corpus.other[: config.captioner.other_lines]]
        yield CAPTIONS, partial(CaptionerObjective, context, pooled, language, progress)
    if config.rare_words.optimiser.steps:
        yield RARE_WORDS, lambda: RareWordsObjective(context, pool())
    if config.captioner.crops and config.rewards.optimiser.steps:
        yield REWARDS, partial(RewardObjective, context, pooled, progress)
