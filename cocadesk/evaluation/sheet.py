"""A page to look through: what was measured, picture by picture, the worst first.

One HTML file without scripts that needs nothing else. It shows pictures as the model
takes them.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from cocadesk.evaluation.retrieval import Naming, Ranking
from cocadesk.evaluation.runs import Labelled, Sample, VideoSample, Written

MOST_CARDS = 400
"""Above this: the worst half of them, then every n-th of the others."""

Measured = TypeVar("Measured", Sample, Sample | VideoSample, Labelled)


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A picture of the set: a small JPEG, its name, and its captions or none."""

    jpeg: bytes
    name: str
    captions: tuple[str, ...] = ()
    label: int | None = None


@dataclass(slots=True, kw_only=True)
class Seen:
    """The pictures that were measured, in their order.

    ``to_jpeg`` makes a small JPEG of a picture (H, W, 3) uint8; None where no sheet is wanted.
    """

    to_jpeg: Callable[[NDArray[np.uint8]], bytes] | None
    pictures: list[Picture] = field(default_factory=list)

    def noted(self, items: Iterable[Measured]) -> Iterator[Measured]:
        """Passes the items on and keeps what a sheet shows of them."""
        for item in items:
            if self.to_jpeg is not None:
                self.pictures.append(_picture(item, self.to_jpeg))
            yield item


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A picture with lines of (label, text), and others beside it with a word on each.

    ``order`` sorts the cards, the worst first.
    """

    picture: Picture
    order: float
    lines: Sequence[tuple[str, str]]
    others_title: str = ""
    others: Sequence[tuple[str, Picture]] = ()


def ranking_cards(seen: Seen, ranking: Ranking) -> list[Card]:
    """Each picture with the place where each of its captions finds it, and what came instead."""
    texts_of: list[list[int]] = [[] for _ in seen.pictures]
    for text, owner in enumerate(ranking.owner_T):
        texts_of[owner].append(text)
    cards = []
    for place, picture in enumerate(seen.pictures):
        texts = texts_of[place]
        ranks = ranking.text_rank_T[texts]
        lines = [
            (f"place {rank + 1} for", caption)
            for rank, caption in zip(ranks, picture.captions, strict=True)
        ]
        worst = int(ranks.argmax())
        wrong = ranking.nearest_wrong_TK[texts[worst]][: ranks[worst]]
        back = f"at place {ranking.image_rank_I[place] + 1}"
        title = f"before it for \u201c{picture.captions[worst]}\u201d" if len(wrong) else ""
        cards.append(
            Card(
                picture=picture,
                order=-float(ranks.mean()),
                lines=[
                    *lines,
                    ("first own caption", back),
                ],
                others_title=title,
                others=[(_first(seen.pictures[i]), seen.pictures[i]) for i in wrong if i >= 0],
            )
        )
    return cards


def caption_cards(seen: Seen, written: Written) -> list[Card]:
    """Each picture with the model's caption, its score and the captions of people."""
    scores = written.scores.cider_d_N
    return [
        Card(
            picture=picture,
            order=float(score),
            lines=[
                ("the model", caption),
                ("CIDEr-D", f"{score:.2f}"),
                *(("a person", text) for text in picture.captions),
            ],
        )
        for picture, caption, score in zip(seen.pictures, written.captions, scores, strict=True)
    ]


def class_cards(seen: Seen, naming: Naming, labels: Sequence[str]) -> list[Card]:
    """Each picture with its class and the names that came first."""
    return [
        Card(
            picture=picture,
            order=-float(rank),
            lines=[
                ("is", labels[picture.label or 0]),
                ("was named", ", ".join(labels[i] for i in best)),
                ("its class came at", str(rank + 1)),
            ],
        )
        for picture, rank, best in zip(seen.pictures, naming.rank_N, naming.best_NK, strict=True)
    ]


def tag_cards(seen: Seen, given: Sequence[Sequence[tuple[str, float]]]) -> list[Card]:
    """Each picture with its tags and their probabilities, the least sure pictures first."""
    return [
        Card(
            picture=picture,
            order=sum(likely for _, likely in tags) / len(tags) if tags else 0.0,
            lines=[(f"{likely:.0%}".replace("%", " %"), tag) for tag, likely in tags]
            or [("", "no tag")],
        )
        for picture, tags in zip(seen.pictures, given, strict=True)
    ]


def sheet_html(
    title: str, figures: Iterable[tuple[str, str, str, str]], cards: Sequence[Card]
) -> str:
    """The page: ``figures`` are (name, value, low, high)."""
    shown = _chosen(sorted(cards, key=lambda card: card.order))
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td>{escape(value)}</td>"
        f"<td>{escape(low)} to {escape(high)}</td></tr>"
        for name, value, low, high in figures
    )
    note = f"{len(cards):,} pictures, the worst first."
    if len(shown) < len(cards):
        note += f" Shown: the {MOST_CARDS // 2} worst and some of the others."
    return (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{escape(title)}</title>"
        f"<style>{_STYLE}</style><h1>{escape(title)}</h1>"
        f"<table><tr><th>measure<th>value<th>95 % interval</tr>{rows}</table><p>{note}</p>"
        f"<main>{''.join(map(_card, shown))}</main></html>\n"
    )


def _picture(
    item: Sample | VideoSample | Labelled, to_jpeg: Callable[[NDArray[np.uint8]], bytes]
) -> Picture:
    image_HWC = item.frames_NHWC[0] if isinstance(item, VideoSample) else item.image_HWC
    jpeg = to_jpeg(image_HWC)
    if isinstance(item, Labelled):
        return Picture(jpeg=jpeg, name=item.name, label=item.label)
    return Picture(jpeg=jpeg, name=item.name, captions=item.captions)


def _first(picture: Picture) -> str:
    return picture.captions[0] if picture.captions else picture.name


def _chosen(cards: Sequence[Card]) -> Sequence[Card]:
    if len(cards) <= MOST_CARDS:
        return cards
    half = MOST_CARDS // 2
    rest = cards[half:]
    return [*cards[:half], *(rest[i * len(rest) // half] for i in range(half))]


def _card(card: Card) -> str:
    lines = "".join(f"<dt>{escape(k)}<dd>{escape(v)}" for k, v in card.lines)
    others = "".join(f"<figure>{_img(p)}<figcaption>{escape(t)}</figure>" for t, p in card.others)
    beside = f"<h2>{escape(card.others_title)}</h2><div>{others}</div>" if others else ""
    return f"<article>{_img(card.picture)}<section><dl>{lines}</dl>{beside}</section></article>"


def _img(picture: Picture) -> str:
    name = escape(picture.name, quote=True)
    data = base64.b64encode(picture.jpeg).decode()
    return f'<img loading=lazy alt="{name}" title="{name}" src="data:image/jpeg;base64,{data}">'


_STYLE = """
:root{color-scheme:light dark;font:15px/1.45 system-ui,sans-serif}
body{margin:2rem auto;max-width:70rem;padding:0 1rem}
h1{font-size:1.4rem}h2{font-size:.85rem;font-weight:600;margin:.8rem 0 .3rem}
table{border-collapse:collapse}td,th{padding:.2rem 1.2rem .2rem 0;text-align:left}
article{display:grid;grid-template-columns:11rem 1fr;gap:1.2rem;padding:1rem 0}
article{border-top:1px solid #8884}
img{max-width:100%;border-radius:4px}article>img{width:11rem}
dl{display:grid;grid-template-columns:9rem 1fr;gap:.1rem .8rem;margin:0}
dt{color:#888}dd{margin:0}
section>div{display:flex;gap:.8rem;flex-wrap:wrap}figure{margin:0;width:8rem;font-size:.8rem}
"""
