"""Keys in order, a million of them in the memory of a picture or two."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

_KEPT_PLACES = 20_000
_MANY = 50_000
_MOST_RUNS = 200


class KeyList:
    """Keys as bytes of one width, each with the byte of its shape. One thread.

    The places of the keys that were read last are remembered; others are looked for.
    """

    def __init__(self, keys: Iterable[str] = (), shapes: bytes = b"") -> None:
        self._width = 1
        self._keys = bytearray()
        self.shapes = bytearray()
        self._places: dict[str, int] = {}
        self.extend(keys, shapes)

    def __len__(self) -> int:
        return len(self.shapes)

    def __getitem__(self, place: int) -> str:
        key = self._text(place)
        if len(self._places) >= _KEPT_PLACES:
            self._places.clear()
        self._places.setdefault(key, place)
        return key

    def __iter__(self) -> Iterator[str]:
        return map(self._text, range(len(self)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, KeyList) and self._keys == other._keys

    __hash__ = None  # type: ignore[assignment]

    def texts(self, start: int, end: int) -> list[str]:
        """The keys of these places; of a million in a tenth of a second."""
        width = self._width
        data = self._keys[start * width : end * width]
        if not data.isascii():
            return [self._text(place) for place in range(start, min(end, len(self)))]
        text = data.decode("ascii")
        found = [text[at : at + width] for at in range(0, len(text), width)]
        return [key.rstrip("\0") for key in found] if "\0" in text else found

    def extend(self, keys: Iterable[str], shapes: bytes = b"") -> None:
        """Adds keys at the end; without shapes these are not known."""
        self.insert(len(self), keys, shapes)

    def insert(self, place: int, keys: Iterable[str], shapes: bytes = b"") -> None:
        """Puts keys before this place."""
        texts = keys if isinstance(keys, Sequence) else list(keys)
        whole = "".join(texts)
        widths = set(map(len, texts))
        if whole.isascii() and widths == {max([self._width, *widths])}:  # as nearly always
            self._widen(*widths)
            data = whole.encode("ascii")
        else:
            added = [key.encode() for key in texts]
            self._widen(max(map(len, added), default=1))
            data = b"".join(key.ljust(self._width, b"\0") for key in added)
        self._put(place, data, (shapes + bytes(len(texts)))[: len(texts)])

    def insert_part(self, place: int, part: KeyList) -> None:
        """Puts the keys of another list before this place, with their shapes."""
        width = max(self._width, part._width)
        self._widen(width)
        part._widen(width)
        self._put(place, part._keys, part.shapes)

    def _put(self, place: int, keys: bytes | bytearray, shapes: bytes | bytearray) -> None:
        if place < len(self):
            self._places.clear()
        self._keys[place * self._width : place * self._width] = keys
        self.shapes[place:place] = shapes

    def delete(self, place: int, count: int) -> None:
        """Takes so many keys out."""
        del self._keys[place * self._width : (place + count) * self._width]
        del self.shapes[place : place + count]
        self._places.clear()

    def place_of(self, key: str, start: int = 0) -> int | None:
        """The place of a key (the first from ``start`` on), or None."""
        known = self._places.get(key)
        if known is not None and known >= start:
            return known
        wanted = key.encode()
        if not 0 < len(wanted) <= self._width:
            return None
        found = self._find(wanted.ljust(self._width, b"\0"), start)
        if found is not None and not start:
            self._places[key] = found
        return found

    def known_place(self, key: str) -> int | None:
        """As ``place_of``; of a long list only where it was read or looked for lately."""
        known = self._places.get(key)
        return known if known is not None or len(self) > _MANY else self.place_of(key)

    def arranged(self, opened: Mapping[str, Sequence[str]]) -> KeyList:
        """The keys with those of open groups behind their heads."""
        made = self.part(0, len(self))
        for head, others in opened.items():
            if made.place_of(head) is None:
                continue
            shapes = bytearray()
            for key in others:
                place = made.place_of(key)
                shapes.append(0 if place is None else made.shapes[place])
                if place is not None:
                    made.delete(place, 1)
            made.insert((made.place_of(head) or 0) + 1, others, bytes(shapes))
        return made

    def part(self, start: int, end: int) -> KeyList:
        """A copy of these places."""
        made = KeyList()
        made._width = self._width
        made._keys = self._keys[start * self._width : end * self._width]
        made.shapes = self.shapes[start:end]
        return made

    def insertions(self, new: KeyList) -> list[tuple[int, int]] | None:
        """The places and numbers of keys with which this list becomes the new one.

        Places are those in the new list, in order. None where a key went, or too many
        places differ.
        """
        width = max(self._width, new._width)
        self._widen(width)
        new._widen(width)
        runs: list[tuple[int, int]] = []
        mine = theirs = 0
        while len(runs) <= _MOST_RUNS:
            same = self._common(mine, new, theirs)
            mine, theirs = mine + same, theirs + same
            if mine == len(self):
                rest = len(new) - theirs
                return [*runs, (theirs, rest)] if rest else runs
            found = new._find(bytes(self._keys[mine * width : (mine + 1) * width]), theirs)
            if found is None:
                return None
            runs.append((theirs, found - theirs))
            theirs = found
        return None

    def _common(self, mine: int, other: KeyList, theirs: int) -> int:
        """The number of keys that are the same from these places on."""
        width = self._width
        most = min(len(self) - mine, len(other) - theirs)

        def is_same(start: int, count: int) -> bool:
            own = self._keys[(mine + start) * width : (mine + start + count) * width]
            return own == other._keys[(theirs + start) * width : (theirs + start + count) * width]

        same, step = 0, 1
        while same < most:
            step = min(step, most - same)
            if is_same(same, step):
                same, step = same + step, step * 2
            elif step == 1:
                break
            else:
                step = step // 2 or 1
                if is_same(same, step):
                    same += step
        return same

    def _find(self, wanted: bytes, start: int) -> int | None:
        width, at = self._width, start * self._width
        while (at := self._keys.find(wanted, at)) >= 0:
            if at % width == 0:
                return at // width
            at += 1
        return None

    def _text(self, place: int) -> str:
        width = self._width
        if place < 0:
            place += len(self)
        if not 0 <= place < len(self):
            raise IndexError(place)
        return self._keys[place * width : (place + 1) * width].rstrip(b"\0").decode()

    def _widen(self, width: int) -> None:
        if width > self._width:
            old, own = self._width, bytes(self._keys)
            self._keys = bytearray().join(
                own[at : at + old].ljust(width, b"\0") for at in range(0, len(own), old)
            )
            self._width = width
