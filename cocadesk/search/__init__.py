"""Finding media by meaning.

Importing this package is cheap: it asks the library and the model only when used.
"""

from __future__ import annotations

from cocadesk.search.opening import open_searcher
from cocadesk.search.searcher import Hit, Moment, Searcher, TextEmbedder

__all__ = ["Hit", "Moment", "Searcher", "TextEmbedder", "open_searcher"]
