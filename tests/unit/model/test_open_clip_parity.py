"""open_clip itself answers in a child process; our network gives the same from its weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from cocadesk.model.backend import open_backend
from cocadesk.model.checkpoints.checkpoint import WEIGHTS, Checkpoint, load_model
from cocadesk.model.checkpoints.open_clip_layout import to_open_clip
from cocadesk.model.checkpoints.weight_files import map_safetensors, read_state_dict
from cocadesk.model.source import find_checkpoint
from cocadesk.picture_input import Resize
from tests.support.open_clip_reference import (
    SAFE,
    TEXTS,
    Answers,
    run_reference,
    texts_to_tokenise,
)

MOST = 1e-5


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where open_clip's tiny CoCa and its answers lie."""
    return tmp_path_factory.mktemp("open_clip")


@pytest.fixture(scope="module")
def answers(folder: Path) -> Answers:
    """What open_clip answered."""
    return run_reference(folder, "tiny", 5)


@pytest.fixture(scope="module")
def checkpoint(folder: Path, answers: Answers) -> Checkpoint:
    """Its weights as our checkpoint."""
    return find_checkpoint(str(folder))


def test_the_door_gives_open_clips_vectors(folder: Path, answers: Answers) -> None:
    """Pictures, decoder tokens and texts, by the towers that the program uses."""
    with open_backend(str(folder), "cpu") as backend:
        vectors, tokens = backend.pooled(answers.images_BHWC)
        texts = backend.embed_texts(TEXTS)
        info = backend.info()
    np.testing.assert_allclose(vectors, answers.image_BE, atol=MOST)
    np.testing.assert_allclose(tokens, answers.tokens_BQD, atol=MOST)
    np.testing.assert_allclose(texts, answers.text_BE, atol=MOST)
    assert (info.input_spec.size_px, info.input_spec.resize, info.embedding_dim) == (
        64,
        Resize.CENTER_CROP,
        64,
    )


@torch.inference_mode()
def test_the_torch_network_gives_open_clips_logits_and_scale(
    checkpoint: Checkpoint, answers: Answers
) -> None:
    """Teaching starts where open_clip's training ended."""
    network = load_model(checkpoint)
    ids = torch.from_numpy(answers.ids[:5])
    image = network.encode_image(torch.from_numpy(answers.images_BHWC)).tokens_BQD
    text, _ = network.unimodal(ids, ids != 0)
    logits = network.multimodal.output(network.multimodal(text[:, :-1], image))
    np.testing.assert_allclose(logits.numpy(), answers.logits_BTV, atol=MOST)
    assert float(network.logit_scale) == pytest.approx(answers.logit_scale, rel=1e-6)


@torch.inference_mode()
def test_a_trimmed_batch_gives_the_padded_vectors(checkpoint: Checkpoint, answers: Answers) -> None:
    """However short the rows are padded, [CLS] stands at place 76 and sees one padding token."""
    network = load_model(checkpoint)
    batch = checkpoint.tokenizer.batch(TEXTS[:3], 76)
    assert batch.tokens_BT.shape[1] < 20
    for extra in (0, 1, 30):
        ids = torch.nn.functional.pad(torch.from_numpy(batch.tokens_BT), (0, extra))
        vectors = network.encode_text(ids, ids != 0).numpy()
        np.testing.assert_allclose(vectors, answers.text_BE[:3], atol=MOST)


def test_every_text_gets_open_clips_token_ids(checkpoint: Checkpoint, answers: Answers) -> None:
    """1,500 texts: mojibake, entities, markers, all scripts, empty, too long."""
    texts = texts_to_tokenise()
    for text, expected in zip(texts, answers.ids.tolist(), strict=True):
        ids = checkpoint.tokenizer.encode(text, 76)
        assert ids + [0] * (76 - len(ids)) == expected, text


def test_converting_back_gives_open_clips_state_dict(folder: Path, checkpoint: Checkpoint) -> None:
    """Every weight is accounted for, both ways, bit for bit."""
    theirs = read_state_dict(folder / SAFE)
    weights = map_safetensors(checkpoint.folder / WEIGHTS)
    ours = {name: torch.from_numpy(w.copy()) for name, w in weights.items()}
    back = to_open_clip(ours, checkpoint.config)
    assert back.keys() == theirs.keys()
    assert all(torch.equal(back[name], theirs[name]) for name in theirs)
