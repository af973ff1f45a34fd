"""The parts of a CoCa network: sizes as data, checked in one place.

Read from parsed JSON or TOML, with sentences for what does not fit.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar

from cocadesk.errors import UserError, grouped, kept, retold, tr
from cocadesk.picture_input import Resize

ConfigT = TypeVar("ConfigT")

#: Marks a setting that came after checkpoints were named: it is left out of texts
#: and files where it has its default, so that ids made without it stay the same.
_LATER = {"later": True}


#: Dimensions that the hubness correction adds to a vector.
CORRECTION_DIM = 2
#: Scales a correction against the -1 that it is multiplied by: vectors stay nearly as long as
#: each other, and two photos are compared nearly as without one (a cosine c becomes
#: (c + 1 / STRETCH²) / (1 + 1 / STRETCH²)).
STRETCH = 3.0


class ImageEncoderKind(StrEnum):
    """The kind of network that turns a picture into tokens."""

    VIT = "vit"
    EFFICIENTNET_LITE = "efficientnet_lite"


class PoolerDesign(StrEnum):
    """The contrastive pooler's input (paper, section 3.2).

    SHARED is open_clip's: no contrastive pooler of its own. Query 0 of the one
    pooler gives the vector, the others the decoder's tokens, all after the norm.
    """

    CASCADE = "cascade"
    PARALLEL = "parallel"
    SHARED = "shared"


class Variant(StrEnum):
    """Whose CoCa a part is built like: the paper's, or open_clip's released weights'."""

    PAPER = "paper"
    OPEN_CLIP = "open_clip"


class NormPlace(StrEnum):
    """The norms of the unimodal decoder: PRE before each part, as in the paper; POST as BERT has
    them, after each sum and after the embedding, so that a sentence model's weights fit.
    """

    PRE = "pre"
    POST = "post"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageConfig:
    """The image encoder and its input.

    ``layers`` are transformer layers: all of a ViT, or those that stand on top
    of an EfficientNet-Lite trunk. ``trunk_variant`` is 0, 1 or 2 (Lite0 …).
    ``middle_map`` adds the trunk's map of twice the resolution, averaged over 2 x 2.
    open_clip's ViT has a class token, a norm before its layers and none after
    them, and patches without bias.
    """

    kind: ImageEncoderKind = ImageEncoderKind.VIT
    size_px: int = 288
    patch_px: int = 18
    width: int = 768
    layers: int = 12
    heads: int = 12
    mlp_width: int = 3072
    trunk_variant: int = 2
    resize: Resize = Resize.SQUASH
    mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    std: tuple[float, float, float] = (0.5, 0.5, 0.5)
    middle_map: bool = field(default=False, repr=False, metadata=_LATER)
    variant: Variant = field(default=Variant.PAPER, repr=False, metadata=_LATER)


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolerConfig:
    """Attentional poolers (paper, section 3.2): generative 256 queries, contrastive 1.

    A SHARED pooler has both kinds of queries, the contrastive one first.
    """

    design: PoolerDesign = PoolerDesign.CASCADE
    generative_queries: int = 256
    contrastive_queries: int = 1
    heads: int = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class TextConfig:
    """The decoder: a unimodal half and a multimodal half of ``width``.

    ``context`` counts all tokens of a caption with begin and end, without [CLS].
    ``lowercase`` says that the network was trained on lower-cased captions, so
    that queries are lower-cased too. open_clip's text side has CLIP's markers, a
    [CLS] with the position after the context and a padding mask that is one off
    (see ``text_decoder``), and a multimodal layer's two attentions each have an MLP.
    """

    vocabulary: int = 64_000
    context: int = 64
    width: int = 768
    heads: int = 12
    mlp_width: int = 3072
    unimodal_layers: int = 12
    multimodal_layers: int = 12
    tie_output: bool = False
    lowercase: bool = False
    unimodal_norm: NormPlace = field(default=NormPlace.PRE, repr=False, metadata=_LATER)
    variant: Variant = field(default=Variant.PAPER, repr=False, metadata=_LATER)

    @property
    def pad_id(self) -> int:
        """Fills a batch's shorter rows. CLIP's is also the piece "!" inside a word."""
        return 0

    @property
    def begin_id(self) -> int:
        """Stands before every caption."""
        return 1 if self.variant is Variant.PAPER else self.vocabulary - 2

    @property
    def end_id(self) -> int:
        """Stands after every caption."""
        return 2 if self.variant is Variant.PAPER else self.vocabulary - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class HubnessConfig:
    """The banks of unrelated ``texts`` and ``photos`` that correct hubness; 0: there are none.

    ``…_scale`` says how much the nearest of a bank count, ``…_weight`` how much of the
    nearness is taken off (see ``hubness``). A text whose nearest photos of the bank are nearer
    than its mean by ``narrow`` asks for one photo, one with less than ``broad`` for many: of a
    photo's correction the former gets all, the latter nothing.
    """

    texts: int = 0
    text_scale: float = 40.0
    text_weight: float = 0.8
    photos: int = 0
    photo_scale: float = 30.0
    photo_weight: float = 0.3
    broad: float = 0.15
    narrow: float = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class CocaConfig:
    """A whole CoCa network (arXiv 2205.01917)."""

    name: str = "coca"
    embedding_dim: int = 768
    dropout: float = 0.0
    initial_temperature: float = 0.07
    image: ImageConfig = field(default_factory=ImageConfig)
    pooler: PoolerConfig = field(default_factory=PoolerConfig)
    text: TextConfig = field(default_factory=TextConfig)
    hubness: HubnessConfig = field(default=HubnessConfig(), repr=False, metadata=_LATER)

    def __post_init__(self) -> None:
        _check(self)

    @property
    def vector_dim(self) -> int:
        """Numbers in a vector of a photo or a text."""
        return self.embedding_dim + (CORRECTION_DIM if self.hubness.texts else 0)

    def to_json(self) -> str:
        """The config as sorted JSON; ``from_json`` gives an equal one back."""
        return json.dumps(_as_table(self), indent=2, sort_keys=True)

    def image_text(self) -> str:
        """All settings that shape image vectors, for the image id."""
        text = f"{self.image} {self.pooler} {self.embedding_dim}"
        later = [
            f" {f.name}={getattr(part, f.name)}"
            for part in (self.image, self.pooler)
            for f in dataclasses.fields(part)
            if f.metadata == _LATER and getattr(part, f.name) != f.default
        ]
        hubness = self.hubness
        if hubness.texts:
            later.append(f" {hubness.texts} {hubness.text_scale} {hubness.text_weight} {STRETCH}")
        return text + "".join(later)

    @staticmethod
    def from_json(text: str) -> CocaConfig:
        """Reads ``to_json``'s output.

        Raises:
            UserError: it is not JSON, names an unknown setting or an impossible size.
        """
        try:
            raw = json.loads(text)
        except (json.JSONDecodeError, RecursionError) as error:
            raise UserError(
                tr("The model's config cannot be read."),
                tr("It is not valid JSON ({error}).", error=error),
                tr("Fetch or train the model again."),
            ) from error
        return build_config(CocaConfig, raw, tr("model config"))


def _as_table(config: Any) -> dict[str, Any]:
    """A config as nested tables; later settings only where they are not the default."""
    table: dict[str, Any] = {}
    for spec in dataclasses.fields(config):
        value = getattr(config, spec.name)
        if spec.metadata == _LATER and value == spec.default:
            continue
        table[spec.name] = _as_table(value) if dataclasses.is_dataclass(value) else value
    return table


#: The most of each size, far above any CoCa: what is more was not written by a person, and
#: building it would take hours or all memory.
_MOST = {
    "layers": 256,
    "unimodal_layers": 256,
    "multimodal_layers": 256,
    "heads": 1024,
    "width": 32_768,
    "mlp_width": 262_144,
    "embedding_dim": 32_768,
    "size_px": 8192,
    "patch_px": 8192,
    "vocabulary": 4_000_000,
    "context": 65_536,
    "generative_queries": 65_536,
    "texts": 1_000_000,
    "photos": 1_000_000,
}


def _check_sizes(part: Any) -> None:
    """Sizes that no machine can build are refused before anything is built."""
    for spec in dataclasses.fields(part):
        size, most = getattr(part, spec.name), _MOST.get(spec.name)
        if most is not None and not 0 <= size <= most:
            raise ValueError(
                tr(
                    "{name} is {size}, and lies in 0 to {most}",
                    name=spec.name,
                    size=grouped(size),
                    most=grouped(most),
                )
            )


def _check(config: CocaConfig) -> None:
    image, text, pooler = config.image, config.text, config.pooler
    if min(image.heads, text.heads, pooler.heads, image.patch_px) < 1:
        raise ValueError(tr("heads and patches are counted from 1"))
    for part in (config, image, text, pooler, config.hubness):
        _check_sizes(part)
    problems = [
        (image.width % image.heads, kept("the image width must be a multiple of its heads")),
        (text.width % text.heads, kept("the text width must be a multiple of its heads")),
        (
            text.width % pooler.heads,
            kept("the text width must be a multiple of the pooler's heads"),
        ),
        (text.context < 40, kept("the context must hold at least 40 tokens")),
        (pooler.generative_queries < 1, kept("the generative pooler needs a query")),
        (pooler.contrastive_queries != 1, kept("the contrastive pooler has one query")),
        (not 0 <= config.dropout < 1, kept("dropout lies in [0, 1)")),
        (
            bool(config.hubness.texts) != bool(config.hubness.photos),
            kept("hubness needs both banks, texts and photos"),
        ),
        (
            min(config.hubness.text_scale, config.hubness.photo_scale) <= 0,
            kept("the scales of hubness are above 0"),
        ),
        (config.hubness.broad >= config.hubness.narrow, kept("hubness.broad lies below narrow")),
        (config.initial_temperature <= 0, kept("the temperature is above 0")),
        (
            text.variant is Variant.OPEN_CLIP and text.vocabulary < 3,
            kept("the vocabulary must hold the markers"),
        ),
        (
            image.variant is Variant.OPEN_CLIP and image.kind is not ImageEncoderKind.VIT,
            kept("open_clip's image encoder is a ViT"),
        ),
        (image.trunk_variant not in (0, 1, 2), kept("the trunk is Lite 0, 1 or 2")),
        (
            image.middle_map and image.kind is ImageEncoderKind.VIT,
            kept("a ViT has no middle map"),
        ),
        (
            text.variant is Variant.OPEN_CLIP and text.unimodal_norm is NormPlace.POST,
            kept("open_clip's text layers have their norms before their parts"),
        ),
        (
            image.kind is ImageEncoderKind.VIT and image.size_px % image.patch_px,
            kept("the image size must be a multiple of the patch"),
        ),
    ]
    for failed, sentence in problems:
        if failed:
            raise ValueError(retold(sentence))


def build_config(cls: type[ConfigT], raw: Any, where: str) -> ConfigT:
    """A config dataclass from parsed JSON or TOML; unknown names get the nearest match.

    Raises:
        UserError: a table is not a table, a name is unknown or a value has the wrong type.
    """
    if not isinstance(raw, dict):
        raise UserError(
            tr("The {where} is not a table of settings.", where=where),
            tr("It is {name}.", name=type(raw).__name__),
        )
    known = {f.name: f for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
    values: dict[str, Any] = {}
    for name, value in raw.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = (
                tr("Did you mean “{name}”?", name=near[0])
                if near
                else tr("Known are: {names}.", names=", ".join(known))
            )
            raise UserError(
                tr("The {where} has an unknown setting “{name}”.", where=where, name=name), "", hint
            )
        values[name] = _coerce(known[name], value, f"{where}, {name}")
    try:
        return cls(**values)
    except (TypeError, ValueError) as error:
        raise UserError(tr("The {where} cannot be used.", where=where), f"{error}.") from error


def _coerce(spec: dataclasses.Field[Any], value: Any, where: str) -> Any:
    default = (
        spec.default_factory()
        if spec.default_factory is not dataclasses.MISSING
        else (spec.default if spec.default is not dataclasses.MISSING else None)
    )
    if dataclasses.is_dataclass(default) and not isinstance(default, type):
        return build_config(type(default), value, where)
    if isinstance(default, StrEnum):
        try:
            return type(default)(value)
        except ValueError as error:
            names = ", ".join(type(default))
            raise UserError(
                tr("The {where} cannot be “{value}”.", where=where, value=value),
                "",
                tr("Choose one of: {names}.", names=names),
            ) from error
    if isinstance(default, tuple):
        if not isinstance(value, list | tuple):
            raise UserError(
                tr("The {where} must be a list.", where=where),
                tr("It is {value}.", value=repr(value)),
            )
        return tuple(value)
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if default is not None and type(default) is not type(value):
        raise UserError(
            tr("The {where} must be a {name}.", where=where, name=type(default).__name__),
            tr("It is {value}.", value=repr(value)),
        )
    return value
