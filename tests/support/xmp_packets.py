"""XMP packets made on the spot."""

from __future__ import annotations

NAMESPACES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
    "exif": "http://ns.adobe.com/exif/1.0/",
    "aux": "http://ns.adobe.com/exif/1.0/aux/",
    "photoshop": "http://ns.adobe.com/photoshop/1.0/",
    "lr": "http://ns.adobe.com/lightroom/1.0/",
    "digiKam": "http://www.digikam.org/ns/1.0/",
    "Iptc4xmpCore": "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
    "mwg-rs": "http://www.metadataworkinggroup.com/schemas/regions/",
    "MP": "http://ns.microsoft.com/photo/1.2/",
    "MPRI": "http://ns.microsoft.com/photo/1.2/t/RegionInfo#",
    "MPReg": "http://ns.microsoft.com/photo/1.2/t/Region#",
}


def xmp(inner: str = "", **values: str | list[str]) -> bytes:
    """A packet with these properties ("dc_title"): a text as attribute, a list as a bag.

    ``inner`` stands among the properties as it is.
    """
    spaces = " ".join(f'xmlns:{name}="{uri}"' for name, uri in NAMESPACES.items())
    texts = [(k.replace("_", ":"), v) for k, v in values.items() if isinstance(v, str)]
    lists = [(k.replace("_", ":"), v) for k, v in values.items() if not isinstance(v, str)]
    attributes = " ".join(f'{name}="{value}"' for name, value in texts)
    bags = ""
    for name, items in lists:
        each = "".join(f"<rdf:li>{item}</rdf:li>" for item in items)
        bags += f"<{name}><rdf:Bag>{each}</rdf:Bag></{name}>"
    rdf = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
    return (
        f'<rdf:RDF xmlns:rdf="{rdf}"><rdf:Description rdf:about="" {spaces} {attributes}>'
        f"{bags}{inner}</rdf:Description></rdf:RDF>"
    ).encode()
