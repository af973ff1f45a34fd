"""The media by the pictures that their stored vectors show."""

from __future__ import annotations

from collections.abc import Sequence


class KeysByPicture:
    """Which picture each medium's vectors show, and the media of each picture in their order.

    Nearly every picture is that of one medium, so its key stands alone, without a collection.
    """

    def __init__(self) -> None:
        self._picture_of: dict[str, str] = {}
        # Dicts without values are sets that keep their order.
        self._keys_of: dict[str, str | dict[str, None]] = {}

    def set(self, key: str, picture_hash: str) -> None:
        """Note that ``key``'s vectors show this picture now, and no other one."""
        if self._picture_of.get(key) == picture_hash:
            return
        self.remove(key)
        self._picture_of[key] = picture_hash
        own = self._keys_of.setdefault(picture_hash, key)
        if isinstance(own, dict):
            own[key] = None
        elif own != key:
            self._keys_of[picture_hash] = {own: None, key: None}

    def remove(self, key: str) -> None:
        """Forget the vectors of ``key``, if it has any."""
        picture_hash = self._picture_of.pop(key, None)
        if picture_hash is None:
            return
        own = self._keys_of[picture_hash]
        if isinstance(own, dict) and len(own) > 1:
            del own[key]
        else:
            del self._keys_of[picture_hash]

    def picture_of(self, key: str) -> str | None:
        """The picture that ``key``'s vectors show; None where it has none."""
        return self._picture_of.get(key)

    def keys_of(self, picture_hash: str) -> Sequence[str]:
        """The media whose vectors show this picture, in the order in which they came to it."""
        own = self._keys_of.get(picture_hash, ())
        return (own,) if isinstance(own, str) else tuple(own)
