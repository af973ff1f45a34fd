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

MAX_N = 4
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


def caption_metrics(
    candidates: Sequence[str], references: Sequence[Sequence[str]]
) -> CaptionMetrics:
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
    return CaptionMetrics(
        cider_d=fmean(cider_d(tokens, reference_tokens)),
        bleu4=bleu(tokens, reference_tokens),
        rouge_l=fmean(map(rouge_l, tokens, reference_tokens)),
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


def cider_d(candidates: Sequence[Tokens], references: Sequence[Sequence[Tokens]]) -> list[float]:
    """CIDEr-D of each picture (Vedantam et al. 2015, section 4 and its "-D" changes).

    The document frequency of an n-gram is the number of pictures with a reference
    that has it, over this very reference set: so a score belongs to its set, and
    with one picture every weight is log(1) = 0. As in coco-caption, the length of the
    Gaussian penalty is the number of 2-grams, and the result is times ten.
    """
    document_frequency: Counter[Ngram] = Counter()
    for group in references:
        document_frequency.update(
            {gram for tokens in group for n in range(1, MAX_N + 1) for gram in ngrams(tokens, n)}
        )
    log_pictures = math.log(len(references))

    def vectors(tokens: Tokens) -> list[dict[Ngram, float]]:
        return [
            {
                gram: count * (log_pictures - math.log(max(1, document_frequency[gram])))
                for gram, count in ngrams(tokens, n).items()
            }
            for n in range(1, MAX_N + 1)
        ]

    scores = []
    for tokens, group in zip(candidates, references, strict=True):
        own = vectors(tokens)
        similarities = [
            _cider_similarity(own, vectors(other)) * _length_penalty(tokens, other)
            for other in group
        ]
        scores.append(10.0 * fmean(similarities))
    return scores


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
    tiny, small = 1e-15, 1e-9
    matched, possible = [0] * MAX_N, [0] * MAX_N
    candidate_length = reference_length = 0
    for tokens, group in zip(candidates, references, strict=True):
        candidate_length += len(tokens)
        reference_length += min((abs(len(other) - len(tokens)), len(other)) for other in group)[1]
        for n in range(1, MAX_N + 1):
            most: Counter[Ngram] = Counter()
            for other in group:
                most |= ngrams(other, n)
            matched[n - 1] += (ngrams(tokens, n) & most).total()
            possible[n - 1] += max(0, len(tokens) - n + 1)
    product = math.prod(
        (right + tiny) / (all_ + small) for right, all_ in zip(matched, possible, strict=True)
    )
    ratio = (candidate_length + tiny) / (reference_length + small)
    penalty = math.exp(1 - 1 / ratio) if ratio < 1 else 1.0
    return float(product ** (1 / MAX_N)) * penalty


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
