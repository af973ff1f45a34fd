"""How sure the machine is of its captions: the order in which a person should look at them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from cocadesk.library.tables import MediaTable

_COLUMNS = ("key", "machine_caption_score")


def least_sure_first(media: MediaTable, keys: Sequence[str]) -> list[str]:
    """``keys`` by the score of the machine's caption, the lowest first, those without one last.

    Of equal scores in the order that they have. All scores are read, which is a column of
    numbers: a million in some tenths of a second.
    """
    if not keys:
        return []
    found = pa.concat_tables(media.columns(_COLUMNS)).sort_by("key")
    if not len(found):
        return list(keys)
    known, wanted = (np.array(some, "S") for some in (found["key"].to_pylist(), list(keys)))
    scores = found["machine_caption_score"].to_numpy().astype(np.float64)
    places = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    own = np.where(known[places] == wanted, scores[places], np.nan)
    return [keys[place] for place in np.argsort(own, kind="stable")]  # NaN comes last
