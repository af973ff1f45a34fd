"""CIDEr-D, BLEU-4 and ROUGE-L of captions, with the definitions of coco-caption.

Their tokens are after the Penn Treebank's manner.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from cocadesk.evaluation.intervals import Interval, bootstrap, interval_of_mean

MAX_N = 4
_LENGTHS = range(1, MAX_N + 1)
CIDER_SIGMA = 6.0
ROUGE_BETA = 1.2
TOKENIZER = "ptb-like-1 (lower case, Treebank splits of contractions, punctuation removed)"
"""What was done to the texts; stands beside every caption metric."""

_ABBREVIATIONS = frozenset(
    {"dr.", "mr.", "mrs.", "ms.", "jr.", "sr.", "st.", "rd.", "ft.", "blvd.", "etc.", "vs."}
)

# Contractions lose their tail as a token of its own: "don't" is "do n't", "dog's" is "dog 's".
_CONTRACTION = re.compile(r"(n't|'(?:s|m|d|ll|re|ve))$")
_JOINED = {
    "cannot": ("can", "not"),
    "gonna": ("gon", "na"),
    "gotta": ("got", "ta"),
    "wanna": ("wan", "na"),
    "gimme": ("gim", "me"),
    "lemme": ("lem", "me"),
}

_TOKEN = re.compile(
    r"""
    \d+(?:[.,:/]\d+)*(?:[a-z]+)?          # 3, 1,000, 2.5, 10:30, 1/2, 1st
    | (?:[^\W\d_]\.){2,}                  # u.s., a.m.
    | '(?:s|m|d|ll|re|ve)(?![^\W_])        # a tail that stands free, and of the 70's
    | [^\W_]+(?:[-'&/][^\W_]+)*'?\.?      # words, t-shirt, don't, at&t, his/her
    | [$%#@&+=*/\u20ac\u00a3]             # signs that count as words
    """,
    re.VERBOSE,
)

Tokens = Sequence[str]
Ngram = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionMetrics:
    """Closeness of candidate captions to human ones.

    ``cider_d`` 1.0 is what papers print as 100; ``bleu4`` and ``rouge_l`` lie in 0-1.
    """

    cider_d: float
    bleu4: float
    rouge_l: float
    tokenizer: str = TOKENIZER


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionScores:
    """Scores of N pictures' captions; ``bleu_parts_NM`` is what each adds to BLEU's sums."""

    cider_d_N: NDArray[np.float64]
    rouge_l_N: NDArray[np.float64]
    bleu_parts_NM: NDArray[np.float64]

    def metrics(self) -> CaptionMetrics:
        """Means over the pictures; BLEU-4 over the whole corpus."""
        return CaptionMetrics(
            cider_d=float(self.cider_d_N.mean()),
            bleu4=float(_bleu_of_sums(self.bleu_parts_NM.sum(0)[None])[0]),
            rouge_l=float(self.rouge_l_N.mean()),
        )

    def intervals(self) -> dict[str, Interval]:
        """The interval of each measure."""
        return {
            "cider_d": interval_of_mean(self.cider_d_N),
            "bleu4": bootstrap(self.bleu_parts_NM, _bleu_of_sums),
            "rouge_l": interval_of_mean(self.rouge_l_N),
        }


def caption_metrics(
    candidates: Sequence[str], references: Sequence[Sequence[str]]
) -> CaptionMetrics:
    """The measures of ``score_captions``, which takes the same."""
    return score_captions(candidates, references).metrics()


def score_captions(candidates: Sequence[str], references: Sequence[Sequence[str]]) -> CaptionScores:
    """Compares candidate i with the references of picture i.

    Raises:
        ValueError: the lengths differ, nothing is given, or a picture has no reference.
    """
    if len(candidates) != len(references):
        raise ValueError(f"{len(candidates)} candidates for {len(references)} pictures")
    if not candidates:
        raise ValueError("no captions to compare")
    if not all(references):
        raise ValueError("a picture has no reference caption")
    tokens = [tokenize(text) for text in candidates]
    reference_tokens = [[tokenize(text) for text in group] for group in references]
    return CaptionScores(
        cider_d_N=np.asarray(cider_d(tokens, reference_tokens)),
        rouge_l_N=np.asarray(list(map(rouge_l, tokens, reference_tokens))),
        bleu_parts_NM=np.asarray(list(map(_bleu_parts, tokens, reference_tokens)), np.float64),
    )


def tokenize(text: str) -> list[str]:
    """The tokens of a caption as coco-caption's Treebank tokenizer would mostly give them.

    Lower case; contractions are split; sentence punctuation, quotes, brackets
    and free dashes are dropped; hyphenated words, numbers and currency signs stay.
    It needs no Java, and differs from Stanford's lexer only in rare words.
    """
    plain = text.lower().replace("\u2019", "'").replace("\u2018", "'")
    tokens: list[str] = []
    for match in _TOKEN.finditer(plain):
        tokens.extend(_split(match.group()))
    return tokens


def _split(piece: str) -> tuple[str, ...]:
    """One match of the pattern as tokens: full stops, contractions and joined words apart."""
    is_initials = piece.count(".") > 1 and piece.endswith(".")
    if piece.endswith(".") and not is_initials and piece not in _ABBREVIATIONS:
        piece = piece[:-1]
    piece = piece.removesuffix("'")
    if piece in _JOINED:
        return _JOINED[piece]
    tail = _CONTRACTION.search(piece)
    if tail and tail.start() > 0:
        return piece[: tail.start()], tail.group()
    return (piece,)


def ngrams(tokens: Tokens, n: int) -> Counter[Ngram]:
    """Counts of the n-grams of one length."""
    return Counter(tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1))


class CiderD:
    """CIDEr-D against a set of references (Vedantam et al. 2015, section 4 and its "-D" changes).

    The document frequency of an n-gram is the number of pictures with a reference
    that has it, over this very reference set: so a score belongs to its set, and
    with one picture every weight is log(1) = 0. As in coco-caption, the length of the
    Gaussian penalty is the number of 2-grams, and the result is times ten.
    """

    def __init__(self, references: Sequence[Sequence[Tokens]]) -> None:
        self._references = references
        self._document_frequency: Counter[Ngram] = Counter()
        for group in references:
            self._document_frequency.update(
                {gram for tokens in group for n in _LENGTHS for gram in ngrams(tokens, n)}
            )
        self._log_pictures = math.log(len(references))
        self._vectors = [[self._vector(tokens) for tokens in group] for group in references]

    def score(self, candidate: Tokens, picture: int) -> float:
        """The score of a caption of one of the pictures."""
        own = self._vector(candidate)
        group = zip(self._vectors[picture], self._references[picture], strict=True)
        return 10.0 * fmean(
            _cider_similarity(own, vector) * _length_penalty(candidate, tokens)
            for vector, tokens in group
        )

    def _vector(self, tokens: Tokens) -> list[dict[Ngram, float]]:
        frequency = self._document_frequency
        return [
            {
                gram: count * (self._log_pictures - math.log(max(1, frequency[gram])))
                for gram, count in ngrams(tokens, n).items()
            }
            for n in _LENGTHS
        ]


def cider_d(candidates: Sequence[Tokens], references: Sequence[Sequence[Tokens]]) -> list[float]:
    """CIDEr-D of each picture's candidate against all pictures' references."""
    scorer = CiderD(references)
    pairs = zip(candidates, range(len(references)), strict=True)
    return [scorer.score(tokens, picture) for tokens, picture in pairs]


def _cider_similarity(
    candidate: Sequence[dict[Ngram, float]], reference: Sequence[dict[Ngram, float]]
) -> float:
    """Mean over n of the clipped cosine of the two weighted n-gram vectors."""
    total = 0.0
    for own, other in zip(candidate, reference, strict=True):
        norm = math.sqrt(sum(w * w for w in own.values()) * sum(w * w for w in other.values()))
        if norm > 0:
            shared = own.keys() & other.keys()
            total += sum(min(own[gram], other[gram]) * other[gram] for gram in shared) / norm
    return total / MAX_N


def _length_penalty(candidate: Tokens, reference: Tokens) -> float:
    delta = max(0, len(candidate) - 1) - max(0, len(reference) - 1)
    return math.exp(-(delta**2) / (2 * CIDER_SIGMA**2))


def bleu(candidates: Sequence[Tokens], references: Sequence[Sequence[Tokens]]) -> float:
    """BLEU-4 over the whole corpus, the brevity penalty against the closest reference length.

    The tiny constants are coco-caption's; they keep a corpus without a 4-gram above zero.
    """
    parts = np.asarray(list(map(_bleu_parts, candidates, references)), np.float64)
    return float(_bleu_of_sums(parts.sum(0)[None])[0])


def _bleu_parts(tokens: Tokens, group: Sequence[Tokens]) -> list[int]:
    """A picture's n-grams matched and possible, by n, and the two lengths."""
    matched, possible = [], []
    for n in range(1, MAX_N + 1):
        most: Counter[Ngram] = Counter()
        for other in group:
            most |= ngrams(other, n)
        matched.append((ngrams(tokens, n) & most).total())
        possible.append(max(0, len(tokens) - n + 1))
    closest = min((abs(len(other) - len(tokens)), len(other)) for other in group)[1]
    return [*matched, *possible, len(tokens), closest]


def _bleu_of_sums(sums_RM: NDArray[np.float64]) -> NDArray[np.float64]:
    """(R,) BLEU-4 from sums of ``_bleu_parts``."""
    tiny, small = 1e-15, 1e-9
    matched_RN, possible_RN = sums_RM[:, :MAX_N], sums_RM[:, MAX_N : 2 * MAX_N]
    product = np.prod((matched_RN + tiny) / (possible_RN + small), axis=1)
    ratio = (sums_RM[:, -2] + tiny) / (sums_RM[:, -1] + small)
    penalty = np.where(ratio < 1, np.exp(1 - 1 / ratio), 1.0)
    found: NDArray[np.float64] = product ** (1 / MAX_N) * penalty
    return found


def rouge_l(candidate: Tokens, references: Sequence[Tokens]) -> float:
    """ROUGE-L of one picture: F (beta 1.2) of the best precision and the best recall.

    As in coco-caption each maximum is taken over the references by itself.
    """
    lengths = [_longest_common_subsequence(candidate, other) for other in references]
    precision = max(lengths) / max(1, len(candidate))
    recall = max(
        length / max(1, len(other)) for length, other in zip(lengths, references, strict=True)
    )
    if precision == 0 or recall == 0:
        return 0.0
    squared = ROUGE_BETA**2
    return (1 + squared) * precision * recall / (recall + squared * precision)


def _longest_common_subsequence(first: Tokens, second: Tokens) -> int:
    row = [0] * (len(second) + 1)
    for word in first:
        new = [0]
        for other, (diagonal, above) in zip(second, pairwise(row), strict=True):
            new.append(diagonal + 1 if word == other else max(above, new[-1]))
        row = new
    return row[-1]
