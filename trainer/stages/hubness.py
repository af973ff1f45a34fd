"""After all training: the network learns its own hubs, and corrects them from then on."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from cocadesk.model.checkpoints.int8_rows import put_on_grid, rounded_to_grid
from cocadesk.model.network.coca import CoCa
from cocadesk.model.network.config import CORRECTION_DIM, STRETCH, HubnessConfig
from cocadesk.model.network.hubness import Hubness
from trainer.evaluate import encode_texts
from trainer.pictures.data import Dataset
from trainer.stages.objectives import CocaObjective, TrainContext, dev_figures, keep_best

_PICTURES = 128
_SMALL = "low"
_SMALL_PART = 4
"""One of so many photos of the bank is a thumbnail enlarged, where the run has such crops."""


def keep_corrected(last: CocaObjective) -> dict[str, float]:
    """Corrects the network that the last stage leaves, and keeps it as the run's checkpoint.

    Gives its dev figures. It is kept whatever they say: nothing is learned any more.
    """
    context = last.context
    last.state.settle()
    put_on_grid(context.model)
    model = correct_hubness(context)
    figures = dev_figures(context, model)
    keep_best(context, model, figures, last.state)
    return figures


@torch.no_grad()
def correct_hubness(context: TrainContext) -> CoCa:
    """A network like the context's whose vectors are corrected, of the same size.

    Two directions in which neither photos nor texts differ much make room for the correction.
    """
    config, data = context.config.hubness, context.data
    random = np.random.default_rng((context.config.seed, 17))
    texts = _text_vectors(context, config, data, random)
    photos = _photo_vectors(context, config, random)
    config = replace(config, texts=len(texts), photos=len(photos))  # there may be fewer
    basis = _widest(torch.cat((texts, photos)), context.model.config.embedding_dim - CORRECTION_DIM)
    return corrected(context.model, config, texts @ basis, photos @ basis, basis)


def corrected(
    model: CoCa, config: HubnessConfig, texts_NE: Tensor, photos_NE: Tensor, basis_DE: Tensor
) -> CoCa:
    """The network with these banks; ``basis`` turns its vectors (D) into theirs (E)."""
    size = replace(model.config, embedding_dim=basis_DE.shape[1], hubness=config)
    made = CoCa(size).to(basis_DE.device)
    state = model.state_dict()
    for name in ("image_projection.weight", "text_projection.weight"):
        state[name] = basis_DE.T @ state[name].float()
    # What scores lose in length, the temperature gives back.
    state["log_scale"] = state["log_scale"] + math.log(1 + STRETCH**-2)
    made.load_state_dict(state, strict=False)
    for hubness, bank, own in (
        (made.image_hubness, texts_NE, photos_NE),
        (made.text_hubness, photos_NE, texts_NE),
    ):
        assert hubness is not None
        _fill(hubness, bank, F.normalize(own, dim=1))
    return made.eval()


def _fill(hubness: Hubness, bank_NE: Tensor, usual_NE: Tensor) -> None:
    """Puts the bank on the grid it is stored on; the level is that of ``usual`` vectors."""
    hubness.bank.copy_(rounded_to_grid(F.normalize(bank_NE, dim=1)))
    hubness.level.copy_(
        torch.cat([hubness.nearness(part)[0] for part in torch.split(usual_NE, 512)]).mean()
    )


def _text_vectors(
    context: TrainContext, config: HubnessConfig, data: Dataset, random: np.random.Generator
) -> Tensor:
    """Vectors of captions of people; bare class names are none."""
    captions = [c for e in data.examples if not e.is_class_name for c in e.captions]
    chosen = random.permutation(len(captions))[: config.texts]
    return encode_texts(
        context.model, context.tokenizer, [captions[i] for i in chosen], context.device
    )


def _photo_vectors(
    context: TrainContext, config: HubnessConfig, random: np.random.Generator
) -> Tensor:
    """Vectors of whole photos, and of some as thumbnails."""
    pictures = random.permutation(len(context.data.examples))[: config.photos]
    crops = np.zeros(len(pictures), np.int64)
    kinds = [str(kind) for kind in context.config.features.kinds]
    if _SMALL in kinds:
        crops[::_SMALL_PART] = kinds.index(_SMALL)
    parts = range(0, len(pictures), _PICTURES)
    pairs = ((pictures[at : at + _PICTURES], crops[at : at + _PICTURES]) for at in parts)
    return torch.cat([context.pooled(*pair).vector_BE.float() for pair in pairs])


def _widest(vectors_ND: Tensor, dim: int) -> Tensor:
    """The ``dim`` orthogonal directions along which the vectors differ most, (D, dim)."""
    wide = vectors_ND.double()
    basis: Tensor = torch.linalg.eigh(wide.T @ wide).eigenvectors[:, -dim:]
    return basis.float()
