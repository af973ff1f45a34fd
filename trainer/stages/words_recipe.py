"""The recipe of a model that knows words: from distillation to scored captions, each a stage.

The stages' states lie in folders of the run; a stage that is done is not run again.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cocadesk.model.network.coca import CoCa
from cocadesk.model.network.image_encoder import EfficientNetLiteEncoder
from cocadesk.model.tokenizers.load import load_tokenizer
from cocadesk.model.tokenizers.tokenizer import TextTokenizer
from trainer.checkpoint import RunFolder, write_atomic
from trainer.pictures.data import Dataset
from trainer.stages.class_knowledge import ClassKnowledge, class_probabilities
from trainer.stages.distillation import Distillation, Student, start_projection
from trainer.stages.hubness import keep_corrected
from trainer.stages.joint import JointObjective, Knowledge
from trainer.stages.later_stages import RARE_WORDS, later_stages
from trainer.stages.loop import Loop, Reporter
from trainer.stages.objectives import CocaObjective, TrainContext
from trainer.stages.preparation import Preparation, notes_of
from trainer.words.corpus import Corpus, read_held_out
from trainer.words.sentence_model import SentenceModel, load_sentence_model, start_text_side
from trainer.words.sentences import SentencePool
from trainer.words.vocabulary import build_tokenizer, table_rows

log = logging.getLogger(__name__)

_HELD_OUT_CAPTIONS, _HELD_OUT_WORDS = 1000, 500


class WordsRecipe:
    """The stages of one run, in order."""

    def __init__(self, preparation: Preparation, run: RunFolder, report: Reporter) -> None:
        self._preparation = preparation
        self._run = run
        self._report = report
        self._config = preparation.config

    def train(self) -> dict[str, float]:
        """Runs every stage, or goes on with the one that was interrupted; the last figures.

        Raises:
            UserError: the sentence model or WordNet is missing, or the sizes do not fit.
        """
        preparation, config = self._preparation, self._config
        shards = preparation.paths(config.data.train)
        data, dev = preparation.load(shards), preparation.dev_data()
        sentence = load_sentence_model(config.words.sentence_model).to(preparation.device.device)
        corpus = self._corpus(data)
        tokenizer = self._tokenizer(sentence, corpus)
        model = self._model(sentence, tokenizer)
        row, vectors = self._words(model, sentence, tokenizer, corpus, dev)
        is_frozen = preparation.freeze_trunk(model)
        source = preparation.source(model, data, is_frozen, "train")
        context = TrainContext(
            config=self._config,
            model=model,
            tokenizer=tokenizer,
            data=data,
            source=source,
            dev=preparation.dev_sets(model, dev, is_frozen),
            run=self._run,
            device=preparation.device,
            notes=notes_of(shards, data),
        )
        knowledge = Knowledge(
            row=row,
            vectors_CD=vectors,
            names=corpus.class_names(data.examples),
            classes=self._classes(context, corpus) if is_frozen else None,
        )
        last: CocaObjective = JointObjective(context, knowledge)
        figures = Loop("train", last, self._run, self._config, self._report).run()
        progress, pool = preparation.progress("pooled pictures"), partial(self._pool, corpus)
        for stage, make in later_stages(context, corpus, pool, progress):
            last.state.settle()
            run, following = self._stage_folder(stage), make()
            if stage != RARE_WORDS:  # the dev sets hardly have any, so it is kept whatever they say
                following.best = last.best  # a checkpoint is replaced by a better one alone
            figures = Loop(stage, following, run, self._config, self._report).run()
            last = following
        if config.hubness.texts:
            figures = keep_corrected(last)
        return figures

    def _stage_folder(self, name: str) -> RunFolder:
        folder = self._run.path / name
        folder.mkdir(exist_ok=True)
        return RunFolder(path=folder, curve="metrics.jsonl")

    def _corpus(self, data: Dataset) -> Corpus:
        config, preparation = self._config, self._preparation
        return Corpus.gather(
            data.captions,
            preparation.texts(config.data.extra_text),
            preparation.texts(config.data.other_text),
            *preparation.paths([config.words.wordnet]),
        )

    def _tokenizer(self, sentence: SentenceModel, corpus: Corpus) -> TextTokenizer:
        """The run's tokenizer, made once."""
        path = self._run.path / "tokenizer.json"
        if not path.exists():
            other = corpus.other[: self._config.words.other_lines]
            counted = [*corpus.captions, *corpus.extra, *other]
            made = build_tokenizer(sentence.tokenizer, counted)
            write_atomic(path, made.to_json().encode())
        return load_tokenizer(path)

    def _model(self, sentence: SentenceModel, tokenizer: TextTokenizer) -> CoCa:
        config = self._config
        text = replace(config.model.text, vocabulary=tokenizer.vocabulary)
        self._config = config = replace(config, model=replace(config.model, text=text))
        torch.manual_seed(config.seed)
        model = CoCa(config.model)
        rows = table_rows(tokenizer, sentence.tokenizer)
        start_text_side(model.unimodal, sentence, rows, config.words.layers)
        return model

    def _words(
        self,
        model: CoCa,
        sentence: SentenceModel,
        tokenizer: TextTokenizer,
        corpus: Corpus,
        dev: dict[str, Dataset],
    ) -> tuple[dict[str, int], Tensor]:
        """Distils the text side; gives the sentence model's vectors of all captions."""
        config, preparation = self._config, self._preparation
        pool = self._pool(corpus)
        random = np.random.default_rng((config.seed, 99))
        words = [pool.words[i].text for i in random.integers(0, len(pool.words), _HELD_OUT_WORDS)]
        held_out: dict[str, Sequence[str]] = {
            name: d.captions[:_HELD_OUT_CAPTIONS] for name, d in dev.items()
        }
        student = Student(model.unimodal)
        stages = {"distillation": config.distillation, "synonyms": config.synonyms}
        for stage, settings in stages.items():
            if not settings.optimiser.steps:
                continue
            distillation = Distillation(
                student,
                sentence,
                pool,
                tokenizer,
                settings,
                seed=config.seed,
                device=preparation.device,
                held_out=held_out | {"words": words},
            )
            Loop(stage, distillation, self._stage_folder(stage), config, self._report).run()
            distillation.state.settle()
        captions = corpus.unique_captions
        path = self._run.path / "sentence-vectors.npy"
        vectors = _kept(path, len(captions), lambda: sentence.vectors(captions))
        start_projection(model.text_projection, student, vectors)
        return {caption: number for number, caption in enumerate(captions)}, vectors

    def _pool(self, corpus: Corpus) -> SentencePool:
        """Everything to distil from, but for the words that are held out."""
        held_out = self._config.words.held_out
        pairs = self._preparation.paths([held_out]) if held_out else []
        return corpus.sentences(frozenset[str]().union(*map(read_held_out, pairs)))

    def _classes(self, context: TrainContext, corpus: Corpus) -> ClassKnowledge | None:
        """The trunk's own classifier, where it is to teach."""
        encoder, joint = context.model.image_encoder, self._config.joint
        if not joint.classes or not isinstance(encoder, EfficientNetLiteEncoder):
            return None
        encoder.to(context.device.device)
        count = len(context.data.examples)
        chances = _kept(
            self._run.path / "classes.npy",
            count,
            lambda: class_probabilities(encoder, context.source, count, context.device),
        )
        return ClassKnowledge(corpus.class_tree(), chances, joint, context.device)


def _kept(path: Path, rows: int, make: Callable[[], Tensor]) -> Tensor:
    """A tensor on the CPU of so many rows, made once a run."""
    if path.exists() and len(kept := torch.from_numpy(np.load(path))) == rows:
        return kept
    made = make().cpu()
    data = io.BytesIO()
    np.save(data, made.numpy())
    write_atomic(path, data.getvalue())
    return made
