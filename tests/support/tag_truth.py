"""Truths of tags from captions: what people said of a picture, in any usual form."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from cocadesk.annotations.prompts import is_activity
from cocadesk.annotations.tag_tree import TagTree
from cocadesk.annotations.vocabulary import load_vocabulary

LONGEST = 4
"""So many words a form has at most."""

_WORDS = re.compile(r"[a-z0-9][a-z0-9'-]*")
_IRREGULAR = {
    "child": "children",
    "foot": "feet",
    "goose": "geese",
    "knife": "knives",
    "leaf": "leaves",
    "man": "men",
    "mouse": "mice",
    "person": "people",
    "scarf": "scarves",
    "shelf": "shelves",
    "wolf": "wolves",
    "woman": "women",
}
_SINGULAR = {plural: word for word, plural in _IRREGULAR.items()}

SAME: dict[str, str] = {
    "person": """people, guy, lady, someone, somebody, human, adult, pedestrian, tourist, passenger,
        player, rider, biker, cyclist, surfer, skier, snowboarder, skateboarder, swimmer, runner,
        climber, hiker, teenager, spectator, fisherman, worker, gentleman""",
    "man": "guy, gentleman, male, fisherman, cowboy, businessman",
    "woman": "lady, female",
    "child": "kid, youngster",
    "baby": "infant, newborn",
    "group of people": "group, several people, many people, three people, four people",
    "friends": "friend",
    "musician": "singer, band, guitarist, drummer, violinist, orchestra",
    "athlete": "player, runner, gymnast, boxer",
    "police officer": "policeman, cop, police",
    "firefighter": "fireman, firemen",
    "construction worker": "workman, workmen",
    "cycling": "riding a bike, riding a bicycle, riding bikes, biking, bicycling, rides a bike",
    "horse riding": "riding a horse, riding horses, rides a horse, horseback, jockey",
    "playing guitar": "playing a guitar, plays guitar, plays a guitar, plays the guitar",
    "playing soccer": "soccer game, soccer player, plays soccer, soccer match",
    "playing football": "football game, football player, plays football",
    "playing basketball": "basketball game, basketball player, plays basketball",
    "playing baseball": "baseball game, baseball player, plays baseball, batter, pitcher",
    "playing tennis": "tennis player, plays tennis, tennis match, tennis court",
    "playing volleyball": "volleyball game, volleyball player, plays volleyball",
    "skateboarding": "skateboarder, riding a skateboard, rides a skateboard",
    "surfing": "surfer, riding a wave, rides a wave",
    "skiing": "skier",
    "snowboarding": "snowboarder",
    "ice hockey": "hockey",
    "rock climbing": "rock climber",
    "sport": "game, match, athlete",
    "taking a photo": "taking a picture, taking pictures, taking photos, takes a picture, "
    "photographer",
    "sleeping": "asleep, napping",
    "puppy": "pup",
    "kitten": "kitty",
    "chicken": "hen",
    "horse": "mare, stallion",
    "cow": "cattle",
    "bird": "fowl",
    "seagull": "gull",
    "mouse": "rat",
    "insect": "bug",
    "bee": "bumblebee, honeybee",
    "flower": "blossom, bloom",
    "sea": "ocean",
    "beach": "shore, seashore, sandy shore",
    "forest": "woods, woodland",
    "river": "creek",
    "rock": "boulder, stone",
    "path": "trail",
    "fog": "mist, misty, foggy",
    "snow": "snowy",
    "night": "nighttime",
    "harbor": "marina, port, dock",
    "pier": "dock",
    "shop": "store",
    "railway": "train tracks, railroad, railroad tracks, train track",
    "sidewalk": "pavement",
    "traffic light": "stoplight, traffic signal",
    "sofa": "couch",
    "table": "countertop",
    "carpet": "rug",
    "refrigerator": "fridge",
    "bicycle": "bike",
    "motorcycle": "motorbike",
    "airplane": "plane, aeroplane, jet, airliner",
    "truck": "lorry",
    "taxi": "cab",
    "car": "automobile",
    "tram": "trolley, streetcar",
    "boat": "rowboat, speedboat",
    "sailing boat": "sailboat",
    "television": "tv",
    "cell phone": "cellphone, smartphone, mobile phone",
    "telephone": "phone",
    "computer": "pc",
    "camera": "camcorder",
    "glass": "glasses of",
    "cup": "mug",
    "vegetables": "veggies",
    "donut": "doughnut",
    "hamburger": "burger",
    "french fries": "fries",
    "drink": "beverage",
    "teddy bear": "stuffed bear",
    "backpack": "rucksack",
    "suitcase": "luggage, baggage",
    "handbag": "purse",
    "clothing": "clothes, outfit",
    "hat": "cap",
    "coat": "raincoat",
    "swimsuit": "bathing suit, bikini, swimming trunks",
    "sweater": "sweatshirt, hoodie, pullover",
    "t-shirt": "tee shirt, t shirt",
    "sneakers": "tennis shoes, trainers",
    "mountain": "mountainside, peak",
    "hill": "hillside",
    "field": "grassy field",
    "grass": "grassy",
    "swimming pool": "pool",
    "city": "downtown, urban",
    "black and white photo": "black and white photograph, black and white image",
    "musical instrument": "instrument",
    "statue": "sculpture",
}
"""Other words for the same, parted by commas; singular, the plurals follow."""


def plural(word: str) -> str:
    """The plural of a noun as most are made: of the last word where there are several."""
    *rest, last = word.split(" ")
    if last in _IRREGULAR:
        last = _IRREGULAR[last]
    elif re.search("[^aeiou]y$", last):
        last = f"{last[:-1]}ies"
    else:
        last += "es" if re.search("(s|x|z|ch|sh)$", last) else "s"
    return " ".join([*rest, last])


def _singular(word: str) -> str:
    *rest, last = word.split(" ")
    if last in _SINGULAR:
        last = _SINGULAR[last]
    elif last.endswith("s") and not last.endswith(("ss", "us", "is")) and len(last) > 3:
        last = last[:-1]
    return " ".join([*rest, last])


def _of_activity(tag: str) -> Iterator[str]:
    """Running: run, runs; dancing: dance, dances. Only of one word, so that nouns stay out."""
    if " " in tag or not tag.endswith("ing"):
        return
    stem = tag.removesuffix("ing")
    if stem[-1] == stem[-2]:
        yield from (stem[:-1], f"{stem[:-1]}s")
    yield from (f"{stem}s", f"{stem}es", stem if len(stem) > 3 else f"{stem}s")


@cache
def _shipped() -> frozenset[str]:
    return frozenset(load_vocabulary().tags)


def forms(tag: str) -> set[str]:
    """All that captions may say for a tag; not what is a shipped tag of its own."""
    same = [" ".join(word.split()) for word in SAME.get(tag, "").split(",") if word.strip()]
    found = {tag, _singular(tag), *same}
    if is_activity(tag):
        return found | set(_of_activity(tag))
    return found | ({plural(word) for word in found} - _shipped())


def said(captions: Iterable[str]) -> set[str]:
    """All runs of up to four words in the captions."""
    runs = set[str]()
    for caption in captions:
        words = _WORDS.findall(caption.lower())
        for start in range(len(words)):
            for end in range(start + 1, min(start + LONGEST, len(words)) + 1):
                runs.add(" ".join(words[start:end]))
    return runs


def truth(
    tags: Sequence[str], tree: TagTree, captions: Sequence[Sequence[str]]
) -> NDArray[np.bool_]:
    """(N, C): True where a picture's captions say the tag, or one that implies it."""
    of_form = defaultdict[str, list[int]](list)
    for place, tag in enumerate(tags):
        for form in forms(tag):
            of_form[form].append(place)
    is_true = np.zeros((len(captions), len(tags)), np.bool_)
    for row, own in enumerate(captions):
        for run in said(own) & of_form.keys():
            for place in of_form[run]:
                is_true[row, [place, *tree.ancestors[place]]] = True
    return is_true
