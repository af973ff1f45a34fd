"""Answers that take long: given by a thread of their own, so that no lane is held up."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from cocadesk.errors import UserError
from cocadesk.protocol.calls import Call, CallCancelledError
from cocadesk.protocol.messages import Failed, ReplyBody

_log = logging.getLogger(__name__)


def run_in_thread(call: Call, work: Callable[[], ReplyBody], *, name: str) -> threading.Thread:
    """Finishes ``call`` with what ``work`` gives; its errors become the answer.

    A person's request would else keep jobs waiting (``wait_until_quiet``) all the while.
    """

    def run() -> None:
        try:
            call.finish(work())
        except CallCancelledError:
            call.cancel()
        except UserError as error:
            call.end(
                Failed(id=call.id, what=error.what, why=error.why, what_to_do=error.what_to_do)
            )
        except Exception as error:  # noqa: BLE001 - a bug in one answer must not go unanswered
            _log.exception("%s failed", name)
            call.end(
                Failed(
                    id=call.id,
                    what="The engine met an error in the program.",
                    why=f"{type(error).__name__}: {error}",
                    what_to_do="The engine's log says more.",
                    is_bug=True,
                )
            )

    thread = threading.Thread(target=run, name=name, daemon=True)
    thread.start()
    return thread
