"""The constants with which a model's tags and captions get their probabilities."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields

from cocadesk.errors import UserError, tr
from cocadesk.model.confidence import Confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class TagConstants:
    """A logistic curve over deviations, and what is taken off each tag's deviation first.

    A deviation is in standard deviations above the everyday words. At ``midpoint`` a tag is
    as likely as not; with ``slope`` its log-odds rise for each one above. Tags with less
    than ``threshold`` are not given. ``biases`` hold the tags that stand high on any picture
    (or low: negative); tags that are not in it have none. ``captions`` are the constants of the
    confidence in a caption. The defaults are those of models
    that bring none of their own: fitted to the first starter on the captions of the dev
    sets; on the 53 sample photos, judged by eye, tags scored .5 were right every second time.
    """

    slope: float = 1.9
    midpoint: float = 2.65
    threshold: float = 0.4
    biases: Mapping[str, float] = field(default_factory=dict, hash=False)
    captions: Confidence = field(default_factory=Confidence)

    def __post_init__(self) -> None:
        if not (math.isfinite(self.slope) and self.slope > 0 and math.isfinite(self.midpoint)):
            raise ValueError("slope must be above 0, and midpoint a number")
        if not 0 <= self.threshold <= 1:
            raise ValueError(f"threshold must lie between 0 and 1, not {self.threshold}")
        if not all(map(math.isfinite, self.biases.values())):
            raise ValueError("biases must be numbers")
        if not all(map(math.isfinite, asdict(self.captions).values())):
            raise ValueError("the constants of captions must be numbers")

    @property
    def are_fitted(self) -> bool:
        """True where the model brings its own."""
        return self != TagConstants()

    def to_json(self) -> bytes:
        """The text of a file that ``from_json`` reads; equal constants give equal bytes."""
        return f"{json.dumps(asdict(self), indent=1, sort_keys=True)}\n".encode()

    @staticmethod
    def from_json(data: bytes) -> TagConstants:
        """Reads ``to_json``'s bytes; names that it does not know are notes.

        Raises:
            UserError: it is not JSON, or a constant is impossible.
        """
        try:
            table = dict(json.loads(data))
            known = [constant.name for constant in fields(TagConstants)]
            given = {name: table[name] for name in known if name in table}
            captions = Confidence(**given.pop("captions", {}))
            return TagConstants(**given, captions=captions)
        except (TypeError, ValueError, AttributeError, RecursionError) as error:
            raise UserError(
                tr("The model's constants of tags cannot be read."),
                f"{error}.",
                tr("Fetch or train the model again, or take its tagging.json away."),
            ) from error
