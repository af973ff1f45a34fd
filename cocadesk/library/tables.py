"""Names on disk that are needed before LanceDB is."""

from __future__ import annotations

import re

STORE_FOLDER = "store"
MEDIA = "media"
VIEWS_PREFIX = "views_"


def views_table(image_id: str) -> str:
    """The name of the table that holds the vectors of ``image_id``."""
    return VIEWS_PREFIX + re.sub(r"[^A-Za-z0-9._-]", "_", image_id)
