"""The internet addresses that a program and all its processes ask Linux to reach.

Its kernel stops their calls and tells us of them (seccomp's "user notification", since 5.9), so
that libraries which open sockets without Python are seen too. Nothing is kept from them.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import platform
import runpy
import select
import socket
import struct
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

import pytest

_CALLS = {"x86_64": (42, 44, 317), "aarch64": (203, 206, 277)}
"""The numbers of connect, sendto and seccomp."""
_NO_NEW_PRIVILEGES = 38
_SET_FILTER, _NEW_LISTENER = 1, 8
_LOAD, _JUMP_IF_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _TELL = 0x7FFF0000, 0x7FC00000
_RECEIVE, _ANSWER = 0xC0502100, 0xC0182101
_GO_ON = 1
_CALL = struct.Struct("=QIIiIQ6Q")
"""A call: its id, process, flags, number, architecture, place and arguments."""
_REASON_BYTES = 200


def connections_of(module: str, *arguments: str | Path) -> set[tuple[str, int]]:
    """The addresses with ports that ``python -m module`` asks for.

    Skips the test where the system lets nobody look.
    """
    if sys.platform != "linux" or platform.machine() not in _CALLS:
        pytest.skip("only Linux tells of calls")
    ours, theirs = socket.socketpair()
    with ours, theirs:
        process = subprocess.Popen(
            [sys.executable, "-m", __name__, str(theirs.fileno()), module, *arguments],
            pass_fds=[theirs.fileno()],
            env={**os.environ, "PYTHONPATH": str(Path.cwd())},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        theirs.close()
        said, listeners, *_ = socket.recv_fds(ours, _REASON_BYTES, 1)
    found: set[tuple[str, int]] = set()
    watching = threading.Thread(target=_watch, args=(listeners, found))
    watching.start()
    _, complaints = process.communicate()
    watching.join()
    assert process.returncode == 0, complaints
    if not listeners:
        pytest.skip(f"this system lets nobody look at calls: {said.decode()}")
    return found


def _watch(listeners: list[int], found: set[tuple[str, int]]) -> None:
    """Let each call go on when it was looked at, until the last process has ended."""
    for listener in listeners:
        waiting = select.poll()
        waiting.register(listener, select.POLLIN)
        try:
            while waiting.poll()[0][1] & select.POLLIN:
                with suppress(FileNotFoundError, ProcessLookupError):  # it was killed meanwhile
                    found |= _next_call(listener)
        finally:
            os.close(listener)  # whoever waits for an answer gets an error


def _next_call(listener: int) -> set[tuple[str, int]]:
    """Let a call go on; gives the internet address that it asks for."""
    call = bytearray(_CALL.size)
    fcntl.ioctl(listener, _RECEIVE, call)
    mark, pid, _, number, _, _, *arguments = _CALL.unpack(call)
    first = 1 if number == _CALLS[platform.machine()][0] else 4
    found = _internet_address(pid, *arguments[first : first + 2])
    fcntl.ioctl(listener, _ANSWER, struct.pack("=QqiI", mark, 0, 0, _GO_ON))
    return found


def _internet_address(pid: int, place: int, length: int) -> set[tuple[str, int]]:
    """The address in the memory of a process; none of other families of sockets."""
    if not place:
        return set()
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        memory.seek(place)
        data = memory.read(min(length, 28))
    (family,) = struct.unpack_from("=H", data)
    if family not in (socket.AF_INET, socket.AF_INET6):
        return set()
    (port,) = struct.unpack_from("!H", data, 2)
    packed = data[4:8] if family == socket.AF_INET else data[8:24]
    return {(socket.inet_ntop(family, packed), port)}


def _listener() -> int:
    """Have this process's calls told from now on, and those of all that it starts."""
    connect, sendto, seccomp = _CALLS[platform.machine()]
    code = struct.pack(
        "=" + "HBBI" * 5,
        *(_LOAD, 0, 0, 0),  # the number of the call
        *(_JUMP_IF_EQUAL, 2, 0, connect),
        *(_JUMP_IF_EQUAL, 1, 0, sendto),
        *(_RETURN, 0, 0, _ALLOW),
        *(_RETURN, 0, 0, _TELL),
    )
    held = ctypes.create_string_buffer(code)
    program = struct.pack("@HP", len(code) // 8, ctypes.addressof(held))
    system = ctypes.CDLL(None, use_errno=True)
    system.prctl(_NO_NEW_PRIVILEGES, *map(ctypes.c_ulong, (1, 0, 0, 0)))
    listener = system.syscall(
        *map(ctypes.c_long, (seccomp, _SET_FILTER, _NEW_LISTENER)), ctypes.c_char_p(program)
    )
    if listener < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return int(listener)


def main(descriptor: str, module: str, *arguments: str) -> None:
    """Run a module as a program, and give away who is told of its calls."""
    with socket.socket(fileno=int(descriptor)) as to:
        try:
            listener = _listener()
        except OSError as error:
            to.send(f"{error}".encode())
            return
        socket.send_fds(to, [b"."], [listener])
        os.close(listener)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
