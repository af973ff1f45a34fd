"""torch, imported when a call needs it; where it can't be, a sentence that says what to do.

An installation may be broken in parts (a library of CUDA's that is gone, another processor's
build): then all that does without torch goes on.
"""

from __future__ import annotations

import logging
import sys

from cocadesk.errors import UserError, tr

_log = logging.getLogger(__name__)
_refusals: list[str] = []
"""Why it could not be imported here: a second attempt would meet the halves of the first."""


def load_torch() -> None:
    """Imports torch.

    Raises:
        UserError: it is not installed, or can't be loaded.
    """
    why = why_no_torch()
    if why:
        raise UserError(
            tr("This needs PyTorch, which can't be loaded here."),
            why,
            tr(
                "Install it anew: {command}. What has been read can be searched all the same.",
                command=install_command(),
            ),
        )


def why_no_torch() -> str:
    """The reason why torch can't be imported, a sentence; empty once it is."""
    if _refusals:
        return _refusals[0]
    try:
        import torch  # noqa: F401
    except (ImportError, OSError, RuntimeError) as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        _log.warning("PyTorch can't be loaded: %s", lines[0])
        _refusals.append(f"{lines[0][:300].rstrip('.')}.")
        return _refusals[0]
    return ""


def install_command() -> str:
    """The command that puts the build of torch into this environment which fits its card."""
    return (
        "uv pip install --torch-backend=auto --reinstall-package torch "
        f'--reinstall-package torchvision torch torchvision --python "{sys.executable}"'
    )
