"""LanceDB, imported without a touch of the network.

Its client for servers, which is imported with it, binds ::1 to learn whether the machine
has IPv6; for that moment the machine has none.
"""

import socket

_has_ipv6 = socket.has_ipv6
socket.has_ipv6 = False
try:
    import lancedb
    from lancedb.index import BTree, IvfSq
finally:
    socket.has_ipv6 = _has_ipv6

__all__ = ["BTree", "IvfSq", "lancedb"]
