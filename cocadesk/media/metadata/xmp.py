"""Reads the few XMP properties that CocaDesk uses, from untrusted XML.

A document type declaration is refused as soon as it begins: without one there
are no entities to expand (billion laughs) or to fetch (file:///etc/passwd).
"""

from __future__ import annotations

from typing import TypeAlias
from xml.parsers import expat

from cocadesk.media.metadata.text import Texts

_MAX_PACKET_BYTES = 4 << 20
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
}


Xmp: TypeAlias = Texts[str]
"""Values by property ("dc:title"); of several languages the default one comes first."""


class _RefusedError(Exception):
    """The packet asks for more than a packet of metadata may."""


class _Reader:
    """Collects values while expat walks through the packet."""

    def __init__(self) -> None:
        self.values: dict[str, list[str]] = {}
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
        self._path.append(name)
        self._text.clear()
        if name == _ITEM:
            self._language = attributes.get(_XML_LANG, "")

    def text(self, text: str) -> None:
        self._text.append(text)

    def end(self, name: str) -> None:
        value = "".join(self._text).strip()
        self._text.clear()
        self._path.pop()
        if not value:
            return
        if name == _ITEM and len(self._path) >= 3 and self._path[-1] in _LISTS:
            if self._path[-3] == _DESCRIPTION:
                self._add(self._path[-2], self._language, value)
        elif self._path and self._path[-1] == _DESCRIPTION:
            self._add(name, "", value)

    def _add(self, name: str, language: str, value: str) -> None:
        namespace, _, local = name.rpartition(" ")
        prefix = _PREFIXES.get(namespace)
        if prefix is None or not value:
            return
        self._count += 1
        if self._count > _MAX_VALUES:
            raise _RefusedError
        values = self.values.setdefault(f"{prefix}:{local}", [])
        values.insert(0 if language == "x-default" else len(values), value)


def _refuse(*_: object) -> None:
    raise _RefusedError


def read_xmp(packet: bytes | None) -> Xmp:
    """The properties in an XMP packet; none where it is missing, broken or hostile."""
    if not packet or len(packet) > _MAX_PACKET_BYTES:
        return Texts()
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
        return Texts()
    return Texts(reader.values)
