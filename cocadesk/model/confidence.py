"""The confidence in a caption: a number that orders good ones from bad."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Confidence:
    """Constants that bring a caption's likelihood and its fit to the picture to 0-1.

    The score is logistic(``bias`` + ``probability`` * logit(p) + ``cosine`` * c), with p the
    exponential of the mean log probability of the caption's tokens and c the cosine of
    picture and caption. The defaults give p itself; so do all others where c is not known.
    """

    bias: float = 0.0
    probability: float = 1.0
    cosine: float = 0.0

    def score(self, log_probability: float, cosine: float | None = None) -> float:
        """The score of a caption, 0 to 1."""
        if cosine is None:
            return math.exp(log_probability)
        x = self.bias + self.probability * log_odds(log_probability) + self.cosine * cosine
        return 1 / (1 + math.exp(-x)) if x > 0 else math.exp(x) / (1 + math.exp(x))


def log_odds(log_probability: float) -> float:
    """logit(p) from log p; certainty counts as a billion to one."""
    certain = min(log_probability, -1e-9)
    return certain - math.log(-math.expm1(certain))
