"""Words of the protocol (states, kinds, fields) as commands print them for people.

With ``--json`` they stay as the protocol has them.
"""

from __future__ import annotations

from cocadesk.errors import tr_as

_WORDS = {
    # The states of jobs.
    "queued": tr_as("a word", "queued"),
    "running": tr_as("a word", "running"),
    "paused": tr_as("a word", "paused"),
    "done": tr_as("a word", "done"),
    "failed": tr_as("a word", "failed"),
    "cancelled": tr_as("a word", "cancelled"),
    # How the photos of a group belong together.
    "exact": tr_as("a word", "exact"),
    "same": tr_as("a word", "same"),
    "burst": tr_as("a word", "burst"),
    # What a hit was found by, and the fields of the history.
    "tag": tr_as("a word", "tag"),
    "person": tr_as("a word", "person"),
    "album": tr_as("a word", "album"),
    "caption": tr_as("a word", "caption"),
    "title": tr_as("a word", "title"),
    "keyword": tr_as("a word", "keyword"),
    "name": tr_as("a word", "name"),
    "folder": tr_as("a word", "folder"),
    "description": tr_as("a word", "description"),
    "place": tr_as("a word", "place"),
    "camera": tr_as("a word", "camera"),
    "suggested tag": tr_as("a word", "suggested tag"),
    "suggested caption": tr_as("a word", "suggested caption"),
    "picture": tr_as("a word", "picture"),
    "file": tr_as("a word", "file"),
    "rating": tr_as("a word", "rating"),
    "flag": tr_as("a word", "flag"),
    "favourite": tr_as("a word", "favourite"),
    "hidden": tr_as("a word", "hidden"),
    # The lists that every library has.
    "all": tr_as("a word", "all"),
    "favourites": tr_as("a word", "favourites"),
    "picks": tr_as("a word", "picks"),
    "recent": tr_as("a word", "recent"),
    "videos": tr_as("a word", "videos"),
    "without-caption": tr_as("a word", "without-caption"),
    "to-review": tr_as("a word", "to-review"),
    "missing": tr_as("a word", "missing"),
    "offline": tr_as("a word", "offline"),
    "True": tr_as("a word", "True"),
    "False": tr_as("a word", "False"),
    # What an evaluation was made of.
    "model": tr_as("a word", "model"),
    "photos": tr_as("a word", "photos"),
    "tokenizer": tr_as("a word", "tokenizer"),
    "classes": tr_as("a word", "classes"),
}

_FACTS = {
    "missing": tr_as("a word", "missing"),
    "offline": tr_as("a word", "offline"),
    "videos": tr_as("a word", "videos"),
    "failed": tr_as("of files", "failed"),
    "media": tr_as("a word", "media"),
    "photos": tr_as("a word", "photos"),
    "views": tr_as("a word", "views"),
    "model": tr_as("a word", "model"),
    "schema": tr_as("a word", "schema"),
    "device": tr_as("a word", "device"),
    "precision": tr_as("a word", "precision"),
    "reason": tr_as("a word", "reason"),
    "model source": tr_as("a word", "model source"),
    "caption model": tr_as("a word", "caption model"),
    "caption source": tr_as("a word", "caption source"),
    "caption reason": tr_as("a word", "caption reason"),
    "tags fitted": tr_as("a word", "tags fitted"),
    "library": tr_as("a word", "library"),
    "without vectors": tr_as("a word", "without vectors"),
}
"""What a library holds, and its model."""


def fact(name: str) -> str:
    """What ``cocadesk info`` tells, by its name in the person's language."""
    return _FACTS.get(name, name)


def word(name: object) -> str:
    """The word in the person's language; one that is not of the protocol as it is."""
    return _WORDS.get(str(name), str(name))
