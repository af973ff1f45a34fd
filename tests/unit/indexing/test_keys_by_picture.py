"""The media of each picture, against a slow reference."""

from __future__ import annotations

import random

import pytest

from cocadesk.indexing.keys_by_picture import KeysByPicture

KEYS = "abcdef"
PICTURES = ("sea", "hill", "a", "")


class Slow:
    """Pairs of key and picture in the order in which they came."""

    def __init__(self) -> None:
        self.pairs: list[tuple[str, str]] = []

    def set(self, key: str, picture: str) -> None:
        if (key, picture) not in self.pairs:
            self.remove(key)
            self.pairs.append((key, picture))

    def remove(self, key: str) -> None:
        self.pairs = [pair for pair in self.pairs if pair[0] != key]


@pytest.mark.parametrize("seed", range(20))
def test_any_history_gives_what_the_slow_reference_gives(seed: int) -> None:
    chance, keys, slow = random.Random(seed), KeysByPicture(), Slow()
    for _ in range(200):
        key, picture = chance.choice(KEYS), chance.choice(PICTURES)
        if chance.random() < 0.7:
            keys.set(key, picture)
            slow.set(key, picture)
        else:
            keys.remove(key)
            slow.remove(key)
        assert {one: keys.picture_of(one) for one in KEYS} == {
            one: dict(slow.pairs).get(one) for one in KEYS
        }
        for one in PICTURES:
            assert list(keys.keys_of(one)) == [k for k, shown in slow.pairs if shown == one]
