"""Words that say nothing by themselves: looked for only where a query has no others."""

from __future__ import annotations

_ENGLISH = """
a about after all also am an and any are as at be been being but by can did do does for from
get had has have he her hers him his how i if in into is it its just me my no not of off on or
our out over own s she so some such t than that the their them then there these they this those
through to too under until up us very was we were what when where which while who whom why will
with you your picture photo image pictures photos images show shows showing
"""
_GERMAN = """
aber als am an auch auf aus bei beim bin bis bist da das dass dem den der des die doch dort du
durch ein eine einem einen einer eines er es fuer für gegen hat hatte haben hier ich ihm ihn ihr
ihre im in ins ist kein keine man mein meine mit nach nicht noch nur ob oder ohne sehr sein seine
sich sie sind so ueber über um und uns unser unter vom von vor war wie wir zu zum zur zwischen
bild bilder foto fotos
"""
_EXTENSIONS = """
arw avif cr2 cr3 dng gif heic heif jpeg jpg jxl mov mp4 nef orf png raf rw2 tif tiff webp
"""

ENGLISH_STOP_WORDS = frozenset(_ENGLISH.split())
STOP_WORDS = frozenset((_ENGLISH + _GERMAN + _EXTENSIONS).split())
