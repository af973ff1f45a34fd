"""Finding media by meaning and by filters.

Importing this package is cheap: it asks the library and the model only when used.
"""

from __future__ import annotations

from cocadesk.search.filters import EVERYTHING, Filter, parse_filter, split_query
from cocadesk.search.matching import keys_in_scope, matching_keys, newest_keys
from cocadesk.search.opening import open_searcher
from cocadesk.search.searcher import Hit, Moment, Searcher, TextEmbedder

__all__ = [
    "EVERYTHING",
    "Filter",
    "Hit",
    "Moment",
    "Searcher",
    "TextEmbedder",
    "keys_in_scope",
    "matching_keys",
    "newest_keys",
    "open_searcher",
    "parse_filter",
    "split_query",
]
