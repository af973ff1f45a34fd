"""Rebuilds ``resources/general/sentences.txt.gz``: sentences that teaching must not forget.

    .venv/bin/python tools/build_general.py

Every sentence is ours: word lists and patterns written for this file, drawn with a
fixed seed, and the words of the default vocabulary. Teaching holds the text side to
what it said of these before, so they cover what people search for: who, doing what,
where, with which things and colours.
"""

from __future__ import annotations

import gzip
import random
from collections.abc import Iterator
from pathlib import Path

RESOURCES = Path(__file__).resolve().parent.parent / "resources"
TARGET = RESOURCES / "general" / "sentences.txt.gz"
COUNT = 3000

PEOPLE = """man; woman; boy; girl; child; baby; toddler; young man; young woman; old man; old
woman; little boy; little girl; person; teenager; couple; mother; father; lady; guy; worker;
soldier; police officer; cook; dancer; singer; musician; football player; baseball player; tennis
player; basketball player; skier; snowboarder; surfer; skateboarder; cyclist; climber; runner;
swimmer; fisherman; farmer; photographer; doctor; teacher; bride; tourist; biker"""
GROUPS = """two men; two women; two children; two boys; two girls; three people; several people;
a group of people; a group of children; a group of friends; a family; a crowd; people; kids; some
men; many people; four women; a team; a band; five boys; young people; students"""
ANIMALS = """dog; brown dog; black dog; white dog; small dog; puppy; cat; kitten; horse; cow; sheep;
goat; bird; duck; elephant; giraffe; zebra; bear; lion; monkey; rabbit; fish; butterfly; parrot;
black and white dog; tan dog; large dog; seagull; deer; swan; turtle; squirrel; fox; owl"""
DOING = """walking; running; sitting; standing; sleeping; jumping; playing; climbing; riding a bike;
riding a horse; reading a book; talking on a phone; eating; drinking coffee; cooking; dancing;
singing; swimming; surfing; skiing; skateboarding; playing guitar; playing soccer; playing tennis;
playing baseball; kicking a ball; catching a ball; throwing a frisbee; holding a camera; taking a
picture; carrying a bag; pushing a cart; wearing a hat; wearing a helmet; wearing sunglasses;
smiling; laughing; waving; looking at the camera; looking away; pointing; holding a sign; holding
an umbrella; playing in the water; digging in the sand; flying a kite; fishing; working on a laptop;
watching television; blowing bubbles; sliding down a slide; swinging on a swing; painting a wall"""
ANIMAL_DOING = """running; jumping; sleeping; sitting; standing; lying down; eating; swimming;
playing with a ball; carrying a stick; chasing another dog; looking at the camera; walking; shaking
off water; catching a frisbee; digging; fighting; resting in the shade; drinking water; leaping over
a log"""
PLACES = """in the park; on the beach; in the snow; in the water; on the grass; in a field; on the
street; in front of a building; in the kitchen; in a room; on a bench; on a couch; on a bed; at a
table; near the ocean; by a lake; in a river; on a mountain; in the woods; under a tree; on a road;
on the sidewalk; in the city; at night; in a garden; in a pool; on a dirt path; on a rock; on a
bridge; at a restaurant; in a crowd; at the airport; on a train; on a boat; in the rain; on a
playground; in a stadium; against a blue sky; next to a fence; on the floor; in the desert; in a
classroom; on a stage; at a party; in a store; at sunset; by a window; near a fountain"""
THINGS = """car; red car; bus; truck; train; bicycle; motorcycle; boat; airplane; helicopter; chair;
table; couch; bed; lamp; clock; laptop; phone; television; camera; guitar; piano; ball; kite;
umbrella; bag; suitcase; cup; bottle; glass; plate; bowl; knife; pizza; sandwich; cake; salad;
fruit; bread; hot dog; donut; banana; orange; apple; vegetables; flower; rose; tree; plant; vase;
book; newspaper; sign; stop sign; traffic light; fire hydrant; bench; house; church; tower; castle;
bridge; statue; door; window; toilet; sink; refrigerator; oven; mirror; toy; teddy bear; hat; shirt;
dress; shoe; jacket; helmet; watch; box; wheel; tent; flag; graph; map; diagram; machine; bottle of
wine; computer keyboard; skateboard; surfboard; tennis racket; baseball bat; pair of scissors"""
COLOURS = """red; blue; green; yellow; black; white; brown; orange; pink; purple; gray; silver;
colorful; dark; bright; old; new; small; large; wooden; metal; striped"""
WHERE_THINGS = """on the table; on a wall; in a box; on the ground; on a shelf; in a bowl; in the
grass; on a plate; in the kitchen; in front of a house; next to a window; on the street; by the
road; under the sky; on a desk; on a white background; in the sun; on the floor; in the dark"""
SCENES = """a mountain landscape with snow; a city skyline at night; a busy street with cars; a
quiet beach with waves; a forest in the fog; a field of flowers; a river between
rocks; a lake with mountains behind it; a desert with dunes; a clean kitchen with
wooden cabinets; a bathroom with a white tub; a living room with a sofa; a train at
a station; an airplane in the sky; boats in a harbor; a plate of food; a bowl of
soup; a birthday cake with candles; a bird on a branch; sheep on a hill; cows in a
meadow; horses behind a fence; a sunset over the sea; clouds over a field; a bridge
over a river; an old church with a tower; a market with fruit and vegetables; a
football game in a stadium; a concert with lights; a wedding with guests; a pile of
books; tall buildings; a snowy road; a waterfall in the forest; a garden with roses;
fireworks at night; a crowded beach; an empty room; a close-up of a leaf; a flower
with yellow petals; this flower has white petals; petals that are purple with a
yellow center; the flower has pink petals and green leaves"""
PATTERNS = (
    "a photo of {}",
    "a picture of {}",
    "a close-up of {}",
    "{} seen from above",
    "there is {}",
)


def words(text: str) -> list[str]:
    """The list's entries, each on one line."""
    return [" ".join(entry.split()) for entry in text.split(";")]


def article(noun: str) -> str:
    """The noun with "a" or "an"."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def sentences(rng: random.Random) -> Iterator[str]:
    """Endless everyday sentences."""
    people, groups, animals = words(PEOPLE), words(GROUPS), words(ANIMALS)
    doing, animal_doing, places = words(DOING), words(ANIMAL_DOING), words(PLACES)
    things, colours, where = words(THINGS), words(COLOURS), words(WHERE_THINGS)
    pick = rng.choice
    makers = [
        lambda: f"{article(pick(people))} {pick(doing)} {pick(places)}",
        lambda: f"{article(pick(people))} is {pick(doing)} {pick(places)}",
        lambda: f"{article(pick(people))} in {article(pick(colours))} shirt is {pick(doing)}",
        lambda: f"{article(pick(people))} {pick(places)} with {article(pick(things))}",
        lambda: f"{article(pick(people))} and {article(pick(people))} {pick(places)}",
        lambda: f"{pick(groups)} {pick(doing)} {pick(places)}",
        lambda: f"{pick(groups)} {pick(places)}",
        lambda: f"{article(pick(animals))} {pick(animal_doing)} {pick(places)}",
        lambda: f"{article(pick(animals))} is {pick(animal_doing)} {pick(places)}",
        lambda: f"two {pick(colours)} dogs {pick(animal_doing)} {pick(places)}",
        lambda: f"{article(pick(colours))} {pick(things)} {pick(where)}",
        lambda: f"{article(pick(things))} {pick(where)}",
        lambda: f"{article(pick(things))} and {article(pick(things))} {pick(where)}",
        lambda: pick(PATTERNS).format(article(pick(things))),
        lambda: pick(PATTERNS).format(article(pick(animals))),
    ]
    while True:
        yield pick(makers)()


def main() -> None:
    """Writes the file: words first, scenes next, then drawn sentences up to the count."""
    vocabulary = (RESOURCES / "vocabulary" / "default.txt").read_text("utf-8").splitlines()
    tags = [line.strip() for line in vocabulary if line.strip() and not line.startswith("#")]
    kept = dict.fromkeys([*tags, *words(SCENES)])
    drawn = sentences(random.Random(1))
    while len(kept) < COUNT:
        kept[next(drawn)] = None
    head = "# Written by tools/build_general.py; ours, Apache-2.0. One sentence a line.\n"
    TARGET.parent.mkdir(exist_ok=True)
    text = head + "".join(f"{sentence}\n" for sentence in kept)
    TARGET.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


if __name__ == "__main__":
    main()
