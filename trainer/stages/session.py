"""From a config file to a finished run."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import torch

from cocadesk.errors import UserError, tr
from cocadesk.model.network.coca import CoCa
from cocadesk.model.tokenizers.byte_pairs import train_tokenizer
from cocadesk.model.tokenizers.load import load_tokenizer
from cocadesk.model.tokenizers.tokenizer import TextTokenizer
from trainer.checkpoint import RunFolder, write_atomic
from trainer.config import load_config, resolve
from trainer.device import keep_memory_blocks
from trainer.pictures.data import Dataset
from trainer.stages.loop import Loop, Reporter
from trainer.stages.objectives import CocaObjective, TrainContext
from trainer.stages.preparation import Preparation, notes_of
from trainer.stages.words_recipe import WordsRecipe

log = logging.getLogger(__name__)


def train(config_path: Path, report: Reporter) -> dict[str, float]:
    """Runs (or goes on with) the training that a TOML file describes.

    Gives the dev figures of the last step; the run folder holds the rest.

    Raises:
        UserError: the config or the data cannot be used.
    """
    keep_memory_blocks()
    config = load_config(config_path)
    preparation = Preparation(config, config_path, report)
    device = preparation.device
    log.info("%s, %s: %s", device.device, device.dtype, device.reason)
    run = open_run(resolve(config_path, config.run), config_path.read_text("utf-8"))
    if config.words.sentence_model:
        return WordsRecipe(preparation, run, report).train()
    context = _prepare(preparation, run)
    return Loop("train", CocaObjective(context), run, context.config, report).run()


def open_run(path: Path, config_text: str) -> RunFolder:
    """Makes a run's folder, or opens it again for the same config.

    Raises:
        UserError: the folder holds a run of another config, or cannot be written.
    """
    kept = path / "config.toml"
    try:
        path.mkdir(parents=True, exist_ok=True)
        if kept.exists() and kept.read_text("utf-8") != config_text:
            raise UserError(
                tr("The run folder {path} belongs to another config.", path=path),
                tr("Its config.toml differs from the one given."),
                tr("Choose another run folder, or delete the old one."),
            )
        write_atomic(kept, config_text.encode())
    except OSError as error:
        raise UserError(
            tr("The run folder {path} cannot be written.", path=path), f"{error}."
        ) from error
    return RunFolder(path=path, curve="metrics.jsonl")


def _prepare(preparation: Preparation, run: RunFolder) -> TrainContext:
    """Everything that plain training needs: data, tokenizer, network, feature caches."""
    config = preparation.config
    shards = preparation.paths(config.data.train)
    data = preparation.load(shards)
    tokenizer = _tokenizer(preparation, run.path / "tokenizer.json", data)
    text = replace(config.model.text, vocabulary=tokenizer.vocabulary)
    config = replace(config, model=replace(config.model, text=text))
    torch.manual_seed(config.seed)
    model = CoCa(config.model)
    is_frozen = preparation.freeze_trunk(model)
    source = preparation.source(model, data, is_frozen, "train")
    log.info("%d pictures, %d captions", len(data.examples), len(data.captions))
    return TrainContext(
        config=config,
        model=model,
        tokenizer=tokenizer,
        data=data,
        source=source,
        dev=preparation.dev_sets(model, preparation.dev_data(), is_frozen),
        run=run,
        device=preparation.device,
        notes=notes_of(shards, data),
    )


def _tokenizer(preparation: Preparation, path: Path, data: Dataset) -> TextTokenizer:
    """The run's tokenizer, trained once."""
    if path.exists():
        return load_tokenizer(path)
    config = preparation.config
    texts = preparation.texts(config.data.extra_text)
    tokenizer = train_tokenizer([*data.captions, *texts], config.vocabulary)
    write_atomic(path, tokenizer.to_json().encode())
    return tokenizer
