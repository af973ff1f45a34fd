"""Both halves of the text decoder fed one token at a time, for the writing of captions.

It gives what ``UnimodalDecoder`` and ``MultimodalDecoder`` give for the last token. Keys and
values are kept where they were written, of all beams of a search side by side, and a beam sees
by its mask what its own past has written: nothing moves when beams change places, and one
product serves all beams of a search, in the picture's tokens too.

Shape letters: P pictures, S searches, K beams of each, R rows (S * K), D width, H heads,
N kept tokens, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from cocadesk.model.network.config import NormPlace, TextConfig
from cocadesk.model.network.next_tokens import best_of
from cocadesk.model.network.one_thread import each_in_one_thread
from cocadesk.model.network.products import FLOAT32, Arithmetic, Pack, plain_arithmetic

State = Mapping[str, Tensor]
_EXACT = 16
"""How many of a row's best logits are computed in float32 where products are not."""


class _Norm:
    """A layer norm in the dtype of ``x``."""

    def __init__(self, state: State, name: str) -> None:
        self._weight, self._bias = state[f"{name}.weight"], state[f"{name}.bias"]

    def __call__(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, self._weight.shape, self._weight, self._bias)


class _Mlp:
    """The feed-forward part."""

    def __init__(self, state: State, name: str, pack: Pack) -> None:
        self._first = pack(*_linear(state, f"{name}.0"))
        self._second = pack(*_linear(state, f"{name}.2"))

    def __call__(self, x: Tensor) -> Tensor:
        return self._second(self._first(x, gelu=True))


class _Cross:
    """The attention to a picture's tokens; their keys and values are made once."""

    def __init__(self, state: State, name: str, arithmetic: Arithmetic) -> None:
        context = f"{name}.context_norm"
        self.norm = _Norm(state, f"{name}.cross_norm")
        self.query = arithmetic.pack(*_linear(state, f"{name}.cross.query"))
        self.out = arithmetic.pack(*_linear(state, f"{name}.cross.out"))
        self.context_norm = _Norm(state, context) if f"{context}.weight" in state else None
        self.key_value = arithmetic.pack_kept(*_linear(state, f"{name}.cross.key_value"))

    def seen(self, tokens_QD: Tensor, dtype: torch.dtype) -> Tensor:
        """The keys and values of a picture's tokens side by side, (Q, 2 * D)."""
        normed = tokens_QD if self.context_norm is None else self.context_norm(tokens_QD)
        return self.key_value(normed.to(dtype))


class _Layer:
    """One layer's parts; ``is_post`` is BERT's, whose norms stand after the sums."""

    def __init__(self, state: State, name: str, arithmetic: Arithmetic, *, is_post: bool) -> None:
        pack = arithmetic.pack
        query, key_value = (
            _linear(state, f"{name}.attention.{part}") for part in ("query", "key_value")
        )
        self.is_post = is_post
        self.norm = _Norm(state, f"{name}.attention_norm")
        self.taken = pack(torch.cat((query[0], key_value[0])), _joined(query[1], key_value[1]))
        self.out = pack(*_linear(state, f"{name}.attention.out"))
        is_double = f"{name}.self_mlp.0.weight" in state
        self.self_mlp = _Mlp(state, f"{name}.self_mlp", pack) if is_double else None
        self.self_mlp_norm = _Norm(state, f"{name}.self_mlp_norm") if is_double else None
        has_cross = f"{name}.cross.query.weight" in state
        self.cross = _Cross(state, name, arithmetic) if has_cross else None
        self.mlp_norm = _Norm(state, f"{name}.mlp_norm")
        self.mlp = _Mlp(state, f"{name}.mlp", pack)


def _linear(state: State, name: str) -> tuple[Tensor, Tensor | None]:
    return state[f"{name}.weight"], state.get(f"{name}.bias")


def _joined(first: Tensor | None, second: Tensor | None) -> Tensor | None:
    return None if first is None or second is None else torch.cat((first, second))


class TextDecoder:
    """The decoder's weights, ready to write; ``state`` has them by the names of ``CoCa``.

    Products are those of ``arithmetic``; sums and norms are in the weights' own dtype.
    """

    def __init__(
        self,
        config: TextConfig,
        state: State,
        arithmetic: Arithmetic | None = None,
    ) -> None:
        self.config = config
        is_post = config.unimodal_norm is NormPlace.POST
        self.embedding = state["unimodal.embedding.weight"]
        self.position = state["unimodal.position"]
        arithmetic = arithmetic or plain_arithmetic(self.embedding.dtype)
        self.precision = arithmetic.name
        self.dtype, self.kept_dtype = arithmetic.dtype, arithmetic.kept
        self.embedding_norm = _Norm(state, "unimodal.embedding_norm") if is_post else None
        self.layers = [
            _Layer(state, f"unimodal.layers.{n}", arithmetic, is_post=is_post)
            for n in range(config.unimodal_layers)
        ]
        self.layers += [
            _Layer(state, f"multimodal.layers.{n}", arithmetic, is_post=False)
            for n in range(config.multimodal_layers)
        ]
        self.final_norm = _Norm(state, "multimodal.final_norm")
        self.output_weight = self.embedding if config.tie_output else state[OUTPUT]
        self.output = arithmetic.pack(self.output_weight, None)

    @property
    def device(self) -> torch.device:
        """Where tokens are to be."""
        return self.embedding.device

    def numbers_of_picture(self, tokens_PQD: Tensor) -> int:
        """How many keys and values a picture has that has so many tokens."""
        return 2 * self.config.multimodal_layers * tokens_PQD.shape[1] * self.config.width

    def image(self, tokens_PQD: Tensor) -> list[_Kept | None]:
        """The keys and values of pictures' tokens in each layer, None in those without."""
        pictures, length, _ = tokens_PQD.shape
        shape = (pictures, self.config.heads, length, self.config.width // self.config.heads)
        kept = [None if one.cross is None else self.room(shape) for one in self.layers]

        def fill(picture: int) -> None:
            # One by one: the sums of a row depend on how many rows a product has.
            for layer, own in zip(self.layers, kept, strict=True):
                if layer.cross is not None and own is not None:
                    made = layer.cross.seen(tokens_PQD[picture], self.kept_dtype)
                    key, value = (self.split(part[None])[0] for part in made.chunk(2, dim=-1))
                    own.key[picture], own.value[picture] = key, value

        if self.device.type == "cpu":
            each_in_one_thread(fill, pictures)
        else:
            for picture in range(pictures):
                fill(picture)
        return kept

    def room(self, shape: Sequence[int]) -> _Kept:
        """Empty keys and values (S, H, N, D / H)."""
        key, value = (
            torch.empty(shape, dtype=self.kept_dtype, device=self.device) for _ in range(2)
        )
        return _Kept(key, value)

    def split(self, x_BTD: Tensor) -> Tensor:
        """(B, H, T, D / H)."""
        batch, length, width = x_BTD.shape
        heads = self.config.heads
        return x_BTD.view(batch, length, heads, width // heads).transpose(1, 2)

    def logits(self, x_RD: Tensor) -> Tensor:
        """(R, V) float32; where products are not in float32, the best of them again."""
        normed = self.final_norm(x_RD)
        found = self.output(normed.to(self.dtype)).float()
        if self.precision != FLOAT32 and self.output_weight.dtype is torch.float32:
            _, best = best_of(found, min(_EXACT, found.shape[1]))
            with torch.autocast(normed.device.type, enabled=False):
                exact = (self.output_weight[best] * normed[:, None].float()).sum(-1)
            found.scatter_(1, best, exact)
        return found


OUTPUT = "multimodal.output.weight"


@dataclass(slots=True)
class _Kept:
    """Keys and values (S, H, N, D / H) of a layer."""

    key: Tensor
    value: Tensor

    def rows(self, index: Tensor) -> _Kept:
        """Those of some searches."""
        return _Kept(self.key[index], self.value[index])


class Decoding:
    """Captions of pictures that are being written, by their pooled tokens (P, Q, D).

    It begins with one row a picture. At most ``room`` tokens are fed.
    """

    def __init__(self, decoder: TextDecoder, image_PQD: Tensor, room: int) -> None:
        self._decoder = decoder
        self._room = room
        self._beams = 1
        self._position = 0
        self._used = 0
        self._image = decoder.image(image_PQD)
        self._kept: list[_Kept] = self._new(len(image_PQD), room)
        self._mask: Tensor | None = None

    def _new(self, searches: int, slots: int) -> list[_Kept]:
        config = self._decoder.config
        shape = (searches, config.heads, slots, config.width // config.heads)
        return [self._decoder.room(shape) for _ in self._decoder.layers]

    def spread(self, picture_S: Tensor, beams: int) -> None:
        """Goes on with so many beams of each search, given by the picture that it is of."""
        kept, used = self._kept, self._used
        searches = len(picture_S)
        if not (
            len(kept[0].key) == searches
            and bool((picture_S == torch.arange(searches, device=picture_S.device)).all())
        ):
            self._image = [one and one.rows(picture_S) for one in self._image]
        elif beams == 1:
            return
        self._kept = self._new(searches, used + (self._room - used) * beams)
        for old, new in zip(kept, self._kept, strict=True):
            new.key[:, :, :used] = old.key[picture_S, :, :used]
            new.value[:, :, :used] = old.value[picture_S, :, :used]
        self._beams = beams
        if beams > 1:
            slots = self._kept[0].key.shape[2]
            self._mask = torch.zeros(
                (searches, beams, slots), dtype=torch.bool, device=picture_S.device
            )
            self._mask[:, :, :used] = True

    def feed(self, token_SK: Tensor) -> Tensor:
        """(S, K, V) float32 logits of the next token after these."""
        decoder, (searches, beams) = self._decoder, token_SK.shape
        x = decoder.embedding[token_SK.flatten()] + decoder.position[self._position]
        if decoder.embedding_norm is not None:
            x = decoder.embedding_norm(x)
        place = slice(self._used, self._used + beams)
        self._used += beams
        self._position += 1
        mask = None
        if self._mask is not None:
            own = torch.arange(beams, device=token_SK.device)
            self._mask[:, own, place.start + own] = True
            mask = self._mask[:, None, :, : self._used]
        for layer, kept, image in zip(decoder.layers, self._kept, self._image, strict=True):
            x = self._through(layer, x, kept, image, place, mask)
        return decoder.logits(x).view(searches, beams, -1)

    def _through(
        self,
        layer: _Layer,
        x: Tensor,
        kept: _Kept,
        image: _Kept | None,
        place: slice,
        mask: Tensor | None,
    ) -> Tensor:
        """One layer's outputs (R, D) after the tokens' inputs."""
        dtype, beams = self._decoder.dtype, self._beams
        given = x if layer.is_post else layer.norm(x)
        taken = layer.taken(given.to(dtype)).view(len(x) // beams, beams, -1)
        query, key, value = map(self._decoder.split, taken.chunk(3, dim=-1))
        kept.key[:, :, place], kept.value[:, :, place] = key, value
        seen = _Kept(kept.key[:, :, : place.stop], kept.value[:, :, : place.stop])
        mixed = layer.out(_mix(query, seen, mask))
        if layer.is_post:
            x = layer.norm(x + mixed)
            return layer.mlp_norm(x + layer.mlp(x.to(dtype)))
        x = x + mixed
        if layer.self_mlp is not None and layer.self_mlp_norm is not None:
            x = x + layer.self_mlp(layer.self_mlp_norm(x).to(dtype))
        if layer.cross is not None and image is not None:
            asked = layer.cross.query(layer.cross.norm(x).to(dtype))
            query = self._decoder.split(asked.view(len(x) // beams, beams, -1))
            x = x + layer.cross.out(_mix(query, image, None))
        return x + layer.mlp(layer.mlp_norm(x).to(dtype))

    def follow(self, parent_SK: Tensor) -> None:
        """Each beam goes on from the past of this one of its search."""
        if self._mask is not None:
            searches = torch.arange(len(parent_SK), device=parent_SK.device)[:, None]
            self._mask = self._mask[searches, parent_SK]

    def keep(self, searches: Tensor) -> None:
        """Goes on with these searches alone."""
        self._image = [one and one.rows(searches) for one in self._image]
        self._kept = [one.rows(searches) for one in self._kept]
        if self._mask is not None:
            self._mask = self._mask[searches]


def _mix(query_SHKd: Tensor, kept: _Kept, mask: Tensor | None) -> Tensor:
    """Softmax attention, (S * K, D); ``mask`` True marks what may be seen."""
    query = query_SHKd.to(kept.key.dtype)
    mixed = F.scaled_dot_product_attention(query, kept.key, kept.value, attn_mask=mask)
    return mixed.transpose(1, 2).flatten(2).flatten(0, 1).to(query_SHKd.dtype)
