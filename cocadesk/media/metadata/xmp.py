"""Reads the few XMP properties that CocaDesk uses, from untrusted XML.

A document type declaration is refused as soon as it begins: without one there
are no entities to expand (billion laughs) or to fetch (file:///etc/passwd).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.parsers import expat

from cocadesk.media.metadata.text import Texts

MAX_PACKET_BYTES = 4 << 20
_MAX_DEPTH = 64
_MAX_VALUES = 2_000

_RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns# "
_XML_LANG = "http://www.w3.org/XML/1998/namespace lang"
_DESCRIPTION = _RDF + "Description"
_ITEM = _RDF + "li"
_LISTS = frozenset({_RDF + "Bag", _RDF + "Seq", _RDF + "Alt"})
_PREFIXES = {
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://ns.adobe.com/xap/1.0/": "xmp",
    "http://ns.adobe.com/exif/1.0/": "exif",
    "http://ns.adobe.com/exif/1.0/aux/": "aux",
    "http://ns.adobe.com/photoshop/1.0/": "photoshop",
    "http://ns.adobe.com/lightroom/1.0/": "lr",
    "http://www.digikam.org/ns/1.0/": "digiKam",
    "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/": "Iptc4xmpCore",
    "http://iptc.org/std/Iptc4xmpExt/2008-02-29/": "Iptc4xmpExt",
    "http://www.metadataworkinggroup.com/schemas/regions/": "mwg-rs",
    "http://ns.microsoft.com/photo/1.2/": "MP",
    "http://ns.microsoft.com/photo/1.2/t/RegionInfo#": "MPRI",
    "http://ns.microsoft.com/photo/1.2/t/Region#": "MPReg",
}
_STRUCTURES = frozenset(
    {
        "mwg-rs:RegionList",
        "MPRI:Regions",
        "Iptc4xmpExt:PersonInImageWDetails",
        "Iptc4xmpExt:LocationShown",
        "Iptc4xmpExt:LocationCreated",
    }
)
"""The lists whose items have properties of their own."""


@dataclass(frozen=True, slots=True)
class Xmp(Texts[str]):
    """Values by property ("dc:title"); of several languages the default one comes first.

    ``items`` are those of lists of structures by the list's property, each by property.
    """

    items: dict[str, list[dict[str, str]]] = field(default_factory=dict)

    def of_items(self, name: str, key: str) -> list[str]:
        """One property of each item of a list that has it."""
        return [item[key] for item in self.items.get(name, []) if key in item]


class _RefusedError(Exception):
    """The packet asks for more than a packet of metadata may."""


class _Reader:
    """Collects values while expat walks through the packet."""

    def __init__(self) -> None:
        self.values: dict[str, list[str]] = {}
        self.items: dict[str, list[dict[str, str]]] = {}
        self._item: tuple[int, dict[str, str]] | None = None
        self._path: list[str] = []
        self._text: list[str] = []
        self._language = ""
        self._count = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._path) >= _MAX_DEPTH:
            raise _RefusedError
        if name == _DESCRIPTION and _DESCRIPTION not in self._path:
            for attribute, value in attributes.items():
                self._add(attribute, "", value)
        elif self._item is not None:
            for attribute, value in attributes.items():
                self._add_to_item(attribute, value)
        self._path.append(name)
        self._text.clear()
        if name == _ITEM:
            self._language = attributes.get(_XML_LANG, "")
            if self._item is None and len(self._path) >= 3:
                self._begin_item(_short(self._path[-3]), attributes)

    def _begin_item(self, of_list: str, attributes: dict[str, str]) -> None:
        if of_list in _STRUCTURES:
            self._item = len(self._path), {}
            self.items.setdefault(of_list, []).append(self._item[1])
            for attribute, value in attributes.items():
                self._add_to_item(attribute, value)

    def text(self, text: str) -> None:
        self._text.append(text)

    def end(self, name: str) -> None:
        value = "".join(self._text).strip()
        self._text.clear()
        if self._item is not None and self._item[0] == len(self._path):
            self._item = None
        self._path.pop()
        if not value:
            return
        if self._item is not None:
            # Of an item's own list (in several languages) the property's name is two above.
            is_listed = name == _ITEM and len(self._path) >= 2
            self._add_to_item(self._path[-2] if is_listed else name, value)
        elif name == _ITEM and len(self._path) >= 3 and self._path[-1] in _LISTS:
            if self._path[-3] == _DESCRIPTION:
                self._add(self._path[-2], self._language, value)
        elif self._path and self._path[-1] == _DESCRIPTION:
            self._add(name, "", value)

    def _add(self, name: str, language: str, value: str) -> None:
        if (key := self._counted(name, value)) is not None:
            values = self.values.setdefault(key, [])
            values.insert(0 if language == "x-default" else len(values), value)

    def _add_to_item(self, name: str, value: str) -> None:
        if self._item is not None and (key := self._counted(name, value)) is not None:
            self._item[1].setdefault(key, value.strip())

    def _counted(self, name: str, value: str) -> str | None:
        """The short name of a property that is kept; None for others."""
        short = _short(name)
        if not short or not value:
            return None
        self._count += 1
        if self._count > _MAX_VALUES:
            raise _RefusedError
        return short


def _short(name: str) -> str:
    """A name with the usual prefix of its namespace; empty for those that nobody asks for."""
    namespace, _, local = name.rpartition(" ")
    prefix = _PREFIXES.get(namespace)
    return f"{prefix}:{local}" if prefix is not None else ""


def _refuse(*_: object) -> None:
    raise _RefusedError


def read_xmp(packet: bytes | None) -> Xmp:
    """The properties in an XMP packet; none where it is missing, broken or hostile."""
    if not packet or len(packet) > MAX_PACKET_BYTES:
        return Xmp()
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    try:
        parser.Parse(packet.rstrip(b"\x00 \r\n\t"), True)
    except (expat.ExpatError, _RefusedError, ValueError):
        return Xmp()
    return Xmp(reader.values, reader.items)
