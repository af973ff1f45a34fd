"""The last stage that learns: captions are sampled, and the decoder learns from their scores.

Self-critical training (Rennie et al. 2017) with the other samples of a picture as the baseline
(Luo 2020): a caption whose CIDEr-D is above theirs grows more probable. Some captions of
people beside them keep the language.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from cocadesk.errors import UserError, tr
from cocadesk.evaluation.captions import CiderD
from cocadesk.model.network.coca import CoCa
from cocadesk.model.network.layers import KeyValue, TransformerLayer
from cocadesk.model.tokenizers.tokenizer import pad_batch
from trainer.config import RewardConfig
from trainer.evaluate import token_tensors
from trainer.pictures.features import Progress
from trainer.stages.captioner import CaptionerObjective
from trainer.stages.objectives import TrainContext
from trainer.step import Losses
from trainer.words.vocabulary import MARKERS, SENTENCE

_LIKELIEST = 30
_LEAST_WORDS = 3
_PARTS = 4
#: Stands for the end that a caption lacks; no reference has it.
_UNFINISHED = "…"


class RewardObjective(CaptionerObjective):
    """The negative reward of sampled captions, and the loss of some human ones."""

    def __init__(self, context: TrainContext, folder: Path, progress: Progress) -> None:
        super().__init__(
            context, folder, (), progress, context.config.rewards.optimiser, has_dropout=False
        )
        self._rewards = config = context.config.rewards
        references: dict[int, list[list[str]]] = {}
        for caption in self._captions:
            if caption.place is not None:
                words = self._row(caption)[2:]
                references.setdefault(caption.place, []).append(_words(words, is_whole=True))
        self._places = [p for p, found in references.items() if len(found) >= config.references]
        if not self._places:
            raise UserError(
                tr("No picture has captions enough to score others by."),
                tr(
                    "rewards.references asks for {references} of one picture.",
                    references=config.references,
                ),
                tr("Lower it, or leave the table rewards out."),
            )
        self._score = CiderD([references[place] for place in self._places])

    def passes(self, step: int) -> Sequence[Callable[[], Losses]]:
        """Parts of the sampled captions, and one of human captions."""
        config = self._rewards
        random = np.random.default_rng((self.state.seed, 13, step))
        drawn = random.integers(0, len(self._places), config.pictures)
        crops = random.integers(0, self._pooled_PVQD.shape[1], config.pictures)
        tokens = self._pooled_PVQD[[self._places[i] for i in drawn], crops].astype(np.float32)
        rows = self._sampled(np.repeat(tokens, config.samples, 0), step)
        rewards = np.array(
            [
                self._score.score(_words(row[2:]), int(drawn[i // config.samples]))
                for i, row in enumerate(rows)
            ]
        ).reshape(-1, config.samples)
        others = (rewards.sum(1, keepdims=True) - rewards) / max(1, config.samples - 1)
        advantages = (rewards - others).ravel().astype(np.float32)
        order = np.argsort([len(row) for row in rows], kind="stable")
        parts = [part for part in np.array_split(order, _PARTS) if len(part)]
        human = [self._captions[i] for i in random.integers(0, len(self._captions), config.human)]
        count = len(parts) + bool(human)
        found: list[Callable[[], Losses]] = [
            partial(
                self._reward_losses,
                [rows[i] for i in part],
                tokens[part // config.samples],
                advantages[part],
                count * len(part) / len(rows),
                float(rewards.mean()) * count / len(parts),
            )
            for part in parts
        ]
        if human:
            human_rows = [self._row(caption) for caption in human]
            pooled = np.stack([self._tokens_of(caption, 0) for caption in human])
            words = sum(len(row) - 2 for row in human_rows)
            scale = count * config.human_weight / max(1, words)
            found.append(partial(self._part_losses, human_rows, pooled, scale))
        return found

    def _sampled(self, pooled_BQD: NDArray[np.float32], step: int) -> list[list[int]]:
        """A caption for each row of pooled tokens, drawn by (seed, step): begin, style, words."""
        device = self.context.device
        generator = torch.Generator(device.device).manual_seed(self.state.seed * 999_983 + step)
        return sample_captions(
            self.state.model, device.tensor(pooled_BQD), self._rewards, generator
        )

    def _reward_losses(
        self,
        rows: list[list[int]],
        pooled_BQD: NDArray[np.float32],
        advantage_B: NDArray[np.float32],
        scale: float,
        reward: float,
    ) -> Losses:
        model, device = self.state.model, self.context.device
        batch = pad_batch(rows, self.context.tokenizer.pad_id)
        tokens_BT, valid_BT = token_tensors(batch, device)
        counted = valid_BT[:, 1:].clone()
        counted[:, 0] = False  # the style was given
        targets = tokens_BT[:, 1:][counted]
        with device.autocast():
            with torch.no_grad():
                states = model.unimodal(tokens_BT[:, :-1], valid_BT[:, :-1])[0]
            decoded = model.multimodal(states, device.tensor(pooled_BQD))[counted]
            logits = (decoded @ _frequent(model, self._rewards).T).float()
        each = F.cross_entropy(logits, targets, reduction="none")
        weights = device.tensor(advantage_B)[counted.nonzero()[:, 0]]
        loss: Tensor = (each * weights).sum() / max(1, len(targets)) * scale
        return Losses(total=loss, parts={"reward": loss.new_tensor(reward)})


def _frequent(model: CoCa, config: RewardConfig) -> Tensor:
    return model.multimodal.output.weight[: config.frequent_ids]


def _words(ids: Sequence[int], *, is_whole: bool = False) -> list[str]:
    """Ids as words to score, without the end; one that lacks it is marked, unless ``is_whole``."""
    words = [str(number) for number in ids if number != _END]
    return words if is_whole or _END in ids else [*words, _UNFINISHED]


_END = list(MARKERS).index("<end>")


@torch.no_grad()
def sample_captions(
    model: CoCa, pooled_BQD: Tensor, config: RewardConfig, generator: torch.Generator
) -> list[list[int]]:
    """A sentence for each row, sampled among the likeliest ids; begin and style come first.

    Only the frequent ids are scored: a step over all 30,000 takes five times as long.
    """
    batch, device = len(pooled_BQD), pooled_BQD.device
    images = model.multimodal.project_image(pooled_BQD)
    past: list[KeyValue | None] = [None] * len(model.unimodal.layers)
    grown: list[KeyValue | None] = [None] * len(model.multimodal.layers)
    table = _frequent(model, config)
    never = [number for number in range(len(MARKERS)) if number != _END]
    token = torch.full((batch,), model.config.text.begin_id, device=device)
    style = torch.full_like(token, SENTENCE)
    ids, done = [token, style], torch.zeros(batch, dtype=torch.bool, device=device)
    for position in range(config.most_tokens + 1):
        x, past = model.unimodal.step(token, position, past)
        for index, (layer, image) in enumerate(zip(model.multimodal.layers, images, strict=True)):
            x, grown[index] = cast(TransformerLayer, layer).step(x, grown[index], image)
        if position == 0:
            token = style
            continue
        logits = (model.multimodal.final_norm(x[:, 0]) @ table.T).float()
        logits[:, never] = -torch.inf
        if position <= _LEAST_WORDS:
            logits[:, _END] = -torch.inf
        best, places = logits.topk(min(_LIKELIEST, logits.shape[1]), dim=1)
        chosen = torch.multinomial(best.softmax(1), 1, generator=generator)
        token = places.gather(1, chosen)[:, 0]
        token = torch.where(done, torch.zeros_like(token), token)
        ids.append(token)
        done = done | (token == _END)
        if bool(done.all()):
            break
    return [_ended(row) for row in torch.stack(ids, 1).tolist()]


def _ended(row: list[int]) -> list[int]:
    return row[: row.index(_END) + 1] if _END in row else row
