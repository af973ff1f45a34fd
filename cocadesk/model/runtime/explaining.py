"""Where in a picture a text or a word of a caption comes from, as heat maps.

A network is asked about parts of the picture. Cutouts of a third of its side, enlarged, go through
all of it; of windows only the image tokens of one cell go on to the encoder's layers and the
poolers. What these give is compared with a text (windows and cutouts), without what fits everyday
words, or decodes the caption (cutouts).

Measured (``tests/bench/heat_maps.py``) on 70 mosaics of four photos of Flickr8k's dev set that
played no part in choosing the way: the hottest place lies in the photo that a caption is of for 89
of 100 (95 %: 80 to 96), for 63 of 100 single words that are asked for (55 to 70), for 74 of 100
words of captions (68 to 80). Around 77 of 100 things in photos of several it lies in the box (the
mere middle: 54), in sample photos around 71 (88: people put what they mean there). On the 40
mosaics that chose, windows of two by two cells alone, without regard to everyday words: 72, 45 and
54, of all boxes 51. Attention's own product through the poolers (31 and 29, chance 25), and
weighted by gradients (66 and 46; Chefer et al. 2021, arXiv 2103.15679), did no better; nor did
leaving parts out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cocadesk.model.network.coca import CoCa, PooledImage
from cocadesk.model.runtime.heat_parts import (
    LOG_PROBABILITY_SPAN,
    Heat,
    Parts,
    cutout_cover,
    cutouts,
    heat_of_text,
    joined,
    scaled,
    window_cover,
)
from cocadesk.model.runtime.lanes import nothing
from cocadesk.model.runtime.memory import BatchLimit, KeptLimits
from cocadesk.model.tokenizers.tokenizer import TextTokenizer
from cocadesk.model.values import SENTENCE, Markers, WordHeat

WINDOW_SHARE = 1 / 9
"""The side of a window, of the grid's."""
MOST_STEPS = 8
"""A grid has so many windows along a side, and one more; finer ones skip cells."""
WINDOWS_AT_ONCE = 16

Pool = Callable[[NDArray[np.uint8]], tuple[NDArray[np.float32], NDArray[np.float32]]]
"""Unit vectors and the decoder's tokens of pictures, from the network's quick tower."""
Between = Callable[[], None]
"""Called between two parts of the work; what it raises ends it."""
Scores = Callable[[PooledImage], NDArray[np.float32]]
"""What is said of pictures, (K, T), from what the poolers gave of them."""


def windows(side: int) -> Tensor:
    """The cells (K, W * W) of all windows of a grid with ``side`` cells."""
    width = max(1, round(WINDOW_SHARE * side))
    step = max(1, -(-(side - width) // MOST_STEPS))
    starts = sorted({*range(0, side - width, step), side - width})
    cells = torch.arange(side * side).view(side, side)
    rows = [cells[y : y + width, x : x + width].flatten() for y in starts for x in starts]
    return torch.stack(rows)


class Explainer:
    """Heat maps by a network in torch; one thread at a time.

    ``pool`` does the cutouts, ``limit`` says how many windows are computed at once.
    """

    def __init__(
        self,
        model: CoCa,
        tokenizer: TextTokenizer,
        markers: Markers,
        device: str,
        pool: Pool,
        limit: BatchLimit | None = None,
    ) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._markers = markers
        self._device = device
        self._pool = pool
        self._limit = limit or BatchLimit(WINDOWS_AT_ONCE, KeptLimits(None), "windows")
        self._side = model.image_encoder.grid_side
        self._cutout_cover = cutout_cover(model.config.image.size_px, self._side)

    @torch.inference_mode()
    def text(
        self,
        images_BHWC: NDArray[np.uint8],
        vectors_TE: NDArray[np.float32],
        between: Between = nothing,
    ) -> Heat:
        """Where pictures (B, S, S, 3) are near to a text, (B, h, w) in 0 to 1.

        ``vectors`` are the text's and those of ``NEUTRAL``, told apart.
        """
        found = [np.zeros((0, self._side, self._side), np.float32)]

        def scores(pooled: PooledImage) -> NDArray[np.float32]:
            return pooled.vector_BE.float().cpu().numpy() @ vectors_TE.T

        for image_HWC in images_BHWC:
            kinds = (
                self._of_windows(image_HWC, scores, between),
                self._of_cutouts(image_HWC, scores, between),
            )
            found.append(heat_of_text(joined(kinds, self._side))[None])
        return np.concatenate(found)

    @torch.inference_mode()
    def words(
        self, images_BHWC: NDArray[np.uint8], caption: str, between: Between = nothing
    ) -> tuple[WordHeat, ...]:
        """Where pictures make each word of a caption likely after the words before it.

        Words beyond the network's context are left out.
        """
        begin, *ids, _end = self._tokenizer.encode(caption, self._model.config.text.context - 1)
        style = self._markers.styles.get(SENTENCE)
        head = [begin] if style is None else [begin, style]
        words, word_of = self._words(ids)
        whole = torch.tensor([[*head, *ids]], device=self._device)
        text_1TD = self._model.unimodal(whole, torch.ones_like(whole, dtype=torch.bool))[0]
        found = [np.zeros((0, len(words), self._side, self._side), np.float32)]

        def scores(pooled: PooledImage) -> NDArray[np.float32]:
            scores_KT = self._log_probabilities(text_1TD[:, :-1], ids, pooled)
            scores_KW = np.zeros((len(scores_KT), len(words)), np.float32)
            np.add.at(scores_KW.T, word_of, scores_KT.T)
            return scores_KW

        for image_HWC in images_BHWC if words else ():
            raw_WYX = joined([self._of_cutouts(image_HWC, scores, between)], self._side)
            found.append(scaled(raw_WYX, LOG_PROBABILITY_SPAN)[None])
        heat_BWYX = np.concatenate(found)
        return tuple(
            WordHeat(word=word, heat_BYX=heat_BWYX[:, place]) for place, word in enumerate(words)
        )

    def _words(self, ids: Sequence[int]) -> tuple[list[str], list[int]]:
        """The words that ids spell, and of each id the word that it ends or goes on with."""
        places = [max(0, len(self._text(ids[: end + 1]).split()) - 1) for end in range(len(ids))]
        words = self._text(ids).split()
        return words, [min(place, len(words) - 1) for place in places]

    def _text(self, ids: Sequence[int]) -> str:
        return self._tokenizer.decode(ids)

    def _log_probabilities(
        self, text_1TD: Tensor, ids: Sequence[int], pooled: PooledImage
    ) -> NDArray[np.float32]:
        """Of each id, (K, len(ids)), after those before it."""
        multimodal, tokens_KQD = self._model.multimodal, pooled.tokens_BQD
        states = multimodal(text_1TD.expand(len(tokens_KQD), -1, -1), tokens_KQD)
        logits_KTV = multimodal.output(states[:, -len(ids) :]).float()
        wanted = torch.tensor(ids, device=self._device).expand(len(tokens_KQD), -1)[..., None]
        chosen = logits_KTV.gather(-1, wanted)[..., 0] - logits_KTV.logsumexp(-1)
        return chosen.cpu().numpy()  # type: ignore[no-any-return]

    def _of_cutouts(self, image_HWC: NDArray[np.uint8], scores: Scores, between: Between) -> Parts:
        """What cutouts of a picture score."""
        between()
        cut_BHWC = cutouts(image_HWC)
        vectors_BE, tokens_BQD = self._pool(cut_BHWC)

        def some(start: int, end: int) -> NDArray[np.float32]:
            between()
            vectors = torch.from_numpy(vectors_BE[start:end]).to(self._device)
            tokens = torch.from_numpy(tokens_BQD[start:end]).to(self._device)
            return scores(PooledImage(vector_BE=vectors, tokens_BQD=tokens))

        found = np.concatenate(list(self._limit.over(len(cut_BHWC), some)))
        return Parts(scores_KT=found, cover_KN=self._cutout_cover)

    def _of_windows(self, image_HWC: NDArray[np.uint8], scores: Scores, between: Between) -> Parts:
        """What windows of a picture score, of which the layers and poolers see no other cells."""
        encoder = self._model.image_encoder
        image = torch.from_numpy(np.ascontiguousarray(image_HWC[None])).to(self._device)
        features_1NC = encoder.features(image)
        windows_KW = windows(self._side).to(self._device)

        def some(start: int, end: int) -> NDArray[np.float32]:
            between()
            kept_KW = windows_KW[start:end]
            features_KNC = features_1NC.expand(len(kept_KW), -1, -1)
            return scores(self._model.pool(encoder.tokens(features_KNC, kept_KW)))

        found = np.concatenate(list(self._limit.over(len(windows_KW), some)))
        return Parts(scores_KT=found, cover_KN=window_cover(windows_KW.tolist(), self._side))
