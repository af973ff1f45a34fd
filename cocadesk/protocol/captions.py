"""The way in which new captions are written, as a person chooses it."""

from __future__ import annotations

from enum import StrEnum

from cocadesk.protocol.base import Message


class CaptionLength(StrEnum):
    """The length of new captions; ``USUAL`` is what suits the model."""

    USUAL = "usual"
    SHORTER = "shorter"
    LONGER = "longer"


MOST_BEAMS = 12


class CaptionWriting(Message, frozen=True):
    """Length and care of new captions; those that there are stay as they are.

    ``beams``: so many wordings are followed at once, 1 to 12; more take longer and often say it
    better. 0 is as many as suit the model.
    """

    length: CaptionLength = CaptionLength.USUAL
    beams: int = 0


USUAL_WRITING = CaptionWriting()
