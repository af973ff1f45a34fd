"""LanceDB, imported without a touch of the network and without its client for servers.

Two things that come with it are kept from it. That client binds ::1 to learn whether the
machine has IPv6; for that moment the machine has none. And it has some 300 classes of
messages, more than half of the time that the whole engine takes to import (1.6 of 3.0 s);
a library on this disk needs none of them, so they are loaded when one is made.
"""

import contextlib
import importlib
import os
import socket
import sys
from collections.abc import Iterator, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_MESSAGES = "lance_namespace_urllib3_client"


@contextlib.contextmanager
def _without_ipv6() -> Iterator[None]:
    has_ipv6, socket.has_ipv6 = socket.has_ipv6, False
    try:
        yield
    finally:
        socket.has_ipv6 = has_ipv6


class _Message:
    """Stands for a class of ``_MESSAGES`` with the same name; makes an object of that one."""

    def __new__(cls, *args: Any, **fields: Any) -> Any:
        """Imports the class that this one stands for and makes an object of it."""
        with _without_ipv6():
            models = importlib.import_module(f"{_MESSAGES}.models")
        return getattr(models, cls.__name__)(*args, **fields)


class _WithoutMessages(MetaPathFinder, Loader):
    """Finds a module for any name below ``_MESSAGES`` that holds whatever is asked of it."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] != _MESSAGES:
            return None
        return ModuleSpec(fullname, self, is_package=True)

    def exec_module(self, module: ModuleType) -> None:
        def stand_in(name: str) -> type:
            if name.startswith("__"):
                raise AttributeError(name)
            return type(name, (_Message,), {})

        module.__getattr__ = stand_in  # type: ignore[method-assign]


# Ten parts at once, as it would send them, let each look silent on a slow line.
os.environ.setdefault("LANCE_UPLOAD_CONCURRENCY", "1")
_finder = _WithoutMessages()
sys.meta_path.insert(0, _finder)
try:
    with _without_ipv6():
        import lancedb
        from lancedb.index import BTree
finally:
    sys.meta_path.remove(_finder)
    # Whoever needs the real ones from here on finds them.
    for _name in [n for n in sys.modules if n.partition(".")[0] == _MESSAGES]:
        if getattr(sys.modules[_name].__spec__, "loader", None) is _finder:
            del sys.modules[_name]

__all__ = ["BTree", "lancedb"]
