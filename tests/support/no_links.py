"""A double of a disk without hard links: the kernel refuses them to a process and its children."""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys

# The numbers of link and linkat.
_LINKS = {"x86_64": (86, 265), "aarch64": (37,)}
_SET_NO_NEW_PRIVILEGES, _SET_FILTER, _FILTER = 38, 22, 2
_LOAD, _IS_EQUAL, _RETURN = 0x20, 0x15, 0x06
_ALLOW, _EPERM = 0x7FFF0000, 0x00050001

CAN_REFUSE = sys.platform == "linux" and platform.machine() in _LINKS


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.c_void_p)]


def refuse_links() -> None:
    """Lets every hard link of this process fail as on exFAT, for ever."""
    steps = [(_LOAD, 0, 0, 0)]
    for number in _LINKS[platform.machine()]:
        steps += [(_IS_EQUAL, 0, 1, number), (_RETURN, 0, 0, _EPERM)]
    steps.append((_RETURN, 0, 0, _ALLOW))
    packed = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    program = _Program(len(steps), ctypes.addressof(packed))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no filter can be set")
    if libc.prctl(_SET_FILTER, _FILTER, ctypes.byref(program), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no filter can be set")


REFUSED_LINKS = (sys.executable, "-P", "-m", "tests.support.no_links")
"""What to put before a command, so that its hard links fail."""

if __name__ == "__main__":
    refuse_links()
    os.execv(sys.argv[1], sys.argv[1:])
