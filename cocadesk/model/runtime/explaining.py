"""Where in a picture a text or a word of a caption comes from, as heat maps.

A network is asked about parts of the picture: only the image tokens of a window go on to the
encoder's layers and the poolers, and what these give is compared with the text or decodes the
caption. A cell's heat is the mean over the windows that hold it.

Measured (``tests/bench/heat_maps.py``): on mosaics of four photos of Flickr8k's dev set the hottest
place lies in the photo that a caption is of for 83 of 100, and for 68 of 100 words that the starter
wrote; attention's own product through the poolers (25 and 39, chance 25), and weighted by
gradients (66 and 61; Chefer et al. 2021, arXiv 2103.15679), less often. Around single things in
sample photos it is right in two of three, where the mere middle is right in seven of eight.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cocadesk.model.network.coca import CoCa, PooledImage
from cocadesk.model.runtime.memory import BatchLimit, KeptLimits
from cocadesk.model.tokenizers.tokenizer import TextTokenizer
from cocadesk.model.values import SENTENCE, Markers, WordHeat

Heat = NDArray[np.float32]

WINDOW_SHARE = 0.25
"""The side of a window, of the grid's: two cells of nine. Three find a photo of four more often
(89 of 100), and things in a photo less often (half).
"""
MOST_STEPS = 8
"""A grid has so many windows along a side, and one more; finer ones skip cells."""
WINDOWS_AT_ONCE = 16
COSINE_SPAN = 0.12
"""Windows whose cosines differ by less than this have no full heat anywhere."""
LOG_PROBABILITY_SPAN = 1.0
"""The same of the log probability of a word."""


def windows(side: int) -> tuple[Tensor, int]:
    """The cells (K, W * W) of all windows of a grid with ``side`` cells, and W."""
    width = max(1, round(WINDOW_SHARE * side))
    step = max(1, -(-(side - width) // MOST_STEPS))
    starts = sorted({*range(0, side - width, step), side - width})
    cells = torch.arange(side * side).view(side, side)
    rows = [cells[y : y + width, x : x + width].flatten() for y in starts for x in starts]
    return torch.stack(rows), width


def spread(scores_KT: NDArray[np.float32], windows_KW: Tensor, side: int) -> Heat:
    """Each cell's mean over the windows that hold it, (T, side, side)."""
    places = windows_KW.numpy()
    total = np.zeros((side * side, scores_KT.shape[1]), np.float32)
    np.add.at(total, places.ravel(), np.repeat(scores_KT, places.shape[1], axis=0))
    count = np.bincount(places.ravel(), minlength=side * side)
    mean_NT = total / count[:, None]
    return np.ascontiguousarray(mean_NT.T.reshape(-1, side, side))


def scaled(scores_TYX: Heat, span: float) -> Heat:
    """Heat from 0 to 1: the coolest cell is 0, the hottest 1 where they differ by ``span``.

    Squared: windows overlap, so that their means fall off slowly around what is meant.
    """
    lowest = scores_TYX.min((-2, -1), keepdims=True)
    range_T11 = scores_TYX.max((-2, -1), keepdims=True) - lowest
    return np.asarray(((scores_TYX - lowest) / np.maximum(range_T11, span)) ** 2, np.float32)


class Explainer:
    """Heat maps by a network in torch; one thread at a time.

    ``limit`` says how many windows are computed at once.
    """

    def __init__(
        self,
        model: CoCa,
        tokenizer: TextTokenizer,
        markers: Markers,
        device: str,
        limit: BatchLimit | None = None,
    ) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._markers = markers
        self._device = device
        self._limit = limit or BatchLimit(WINDOWS_AT_ONCE, KeptLimits(None), "windows")
        self._side = model.image_encoder.grid_side
        self._windows, _width = windows(self._side)

    @torch.inference_mode()
    def text(self, images_BHWC: NDArray[np.uint8], vector_E: NDArray[np.float32]) -> Heat:
        """Where pictures (B, S, S, 3) are near to a text's unit vector, (B, h, w) in 0 to 1."""
        found = [np.zeros((0, self._side, self._side), np.float32)]
        for image_HWC in images_BHWC:
            vectors_KE = self._of_windows(
                image_HWC, lambda pooled: pooled.vector_BE.float().cpu().numpy()
            )
            scores_K1 = (vectors_KE @ vector_E)[:, None]
            found.append(scaled(spread(scores_K1, self._windows, self._side), COSINE_SPAN))
        return np.concatenate(found)

    @torch.inference_mode()
    def words(self, images_BHWC: NDArray[np.uint8], caption: str) -> tuple[WordHeat, ...]:
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
        for image_HWC in images_BHWC if words else ():
            scores_KT = self._of_windows(
                image_HWC, lambda pooled: self._log_probabilities(text_1TD[:, :-1], ids, pooled)
            )
            scores_KW = np.zeros((len(scores_KT), len(words)), np.float32)
            np.add.at(scores_KW.T, word_of, scores_KT.T)
            heat = scaled(spread(scores_KW, self._windows, self._side), LOG_PROBABILITY_SPAN)
            found.append(heat[None])
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

    def _of_windows(
        self, image_HWC: NDArray[np.uint8], work: Callable[[PooledImage], NDArray[np.float32]]
    ) -> NDArray[np.float32]:
        """What ``work`` makes of the poolers' outputs of all windows; as many as fit at a time."""
        encoder = self._model.image_encoder
        image = torch.from_numpy(np.ascontiguousarray(image_HWC[None])).to(self._device)
        features_1NC = encoder.features(image)
        windows_KW = self._windows.to(self._device)

        def found(start: int, end: int) -> NDArray[np.float32]:
            kept_KW = windows_KW[start:end]
            features_KNC = features_1NC.expand(len(kept_KW), -1, -1)
            return work(self._model.pool(encoder.tokens(features_KNC, kept_KW)))

        return np.concatenate(list(self._limit.over(len(windows_KW), found)))
