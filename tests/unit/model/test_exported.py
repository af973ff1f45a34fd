"""A CoCa that was taught goes back to open_clip, which answers with it as we do."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from cocadesk.errors import UserError
from cocadesk.model.backend import open_backend
from cocadesk.model.checkpoints.checkpoint import load_model, save_checkpoint
from cocadesk.model.checkpoints.exported import export_open_clip
from cocadesk.model.source import find_checkpoint
from tests.support.open_clip_exported import ask_open_clip
from tests.support.open_clip_reference import Answers, run_reference
from trainer.tuning.methods import METHODS

MOST = 1e-5
TEXTS = ("a dog", "Two children play with a RED ball.", "hello , world !!!")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where open_clip's tiny CoCa lies."""
    return tmp_path_factory.mktemp("open_clip")


@pytest.fixture(scope="module")
def answers(folder: Path) -> Answers:
    """What open_clip answered with it before it was taught."""
    return run_reference(folder, "tiny", 3)


@pytest.mark.parametrize("name", list(METHODS))
def test_a_taught_checkpoint_answers_in_open_clip_as_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: Path, answers: Answers, name: str
) -> None:
    """Pictures, decoder tokens, texts and logits; and what is exported is read here again."""
    monkeypatch.setenv("COCADESK_CACHE", str(tmp_path / "cache"))
    method, checkpoint = METHODS[name], find_checkpoint(str(folder))
    model = method.prepare(load_model(checkpoint))
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for weight in model.parameters():
            if weight.requires_grad:
                weight.add_(0.05 * torch.randn(weight.shape, generator=generator))
    run = tmp_path / "run"
    ids = save_checkpoint(run, method.export(model), checkpoint.tokenizer, "taught {model_id}")
    taught = find_checkpoint(str(run))
    assert ids.model_id != checkpoint.ids().model_id

    written = export_open_clip(taught, tmp_path / "exported")
    theirs = ask_open_clip(written, answers.images_BHWC, TEXTS, tmp_path)

    with open_backend(str(run), "cpu") as backend:
        vectors, tokens = backend.pooled(answers.images_BHWC)
        texts = backend.embed_texts(TEXTS)
    np.testing.assert_allclose(vectors, theirs.image_BE, atol=MOST)
    np.testing.assert_allclose(tokens, theirs.tokens_BQD, atol=MOST)
    np.testing.assert_allclose(texts, theirs.text_BE, atol=MOST)
    assert np.abs(texts - answers.text_BE[:3]).max() > 100 * MOST  # it has learned
    network = load_model(taught)
    rows = [taught.tokenizer.encode(text, 76) for text in TEXTS]
    ids_BT = torch.tensor([row + [0] * (76 - len(row)) for row in rows])
    with torch.inference_mode():
        image = network.encode_image(torch.from_numpy(answers.images_BHWC)).tokens_BQD
        text, _ = network.unimodal(ids_BT, ids_BT != 0)
        logits = network.multimodal.output(network.multimodal(text[:, :-1], image))
    np.testing.assert_allclose(logits.numpy(), theirs.logits_BTV, atol=MOST)
    assert theirs.size_px == taught.config.image.size_px
    again = find_checkpoint(f"local-dir:{written}")
    assert (again.ids(), again.config) == (taught.ids(), taught.config)


def test_the_starter_is_no_model_of_open_clips(tmp_path: Path) -> None:
    """It says what can be exported; nothing is left behind."""
    with pytest.raises(UserError, match="not built like open_clip's CoCa"):
        export_open_clip(find_checkpoint("starter"), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_something_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: Path, answers: Answers
) -> None:
    """Nothing of a person's is written over."""
    monkeypatch.setenv("COCADESK_CACHE", str(tmp_path / "cache"))
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match="there already"):
        export_open_clip(find_checkpoint(str(folder)), out)
    assert [path.name for path in out.iterdir()] == ["mine.txt"]
