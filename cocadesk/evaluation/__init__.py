"""Metrics and reports: pure functions first, runs over a model's door second."""

from cocadesk.evaluation.captions import CaptionMetrics, caption_metrics
from cocadesk.evaluation.retrieval import RetrievalMetrics, caption_key, retrieval_metrics
from cocadesk.evaluation.tokens import TOKENIZER, tokenize
from cocadesk.evaluation.zeroshot import ZeroShotMetrics, zeroshot_metrics

__all__ = [
    "TOKENIZER",
    "CaptionMetrics",
    "RetrievalMetrics",
    "ZeroShotMetrics",
    "caption_key",
    "caption_metrics",
    "retrieval_metrics",
    "tokenize",
    "zeroshot_metrics",
]
