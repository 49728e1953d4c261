"""Work of each kind for processes that judge."""

from __future__ import annotations

import os
import time
from typing import Any

from zhidao.core.errors import MalformedInput


def doubled(number: int) -> int:
    return 2 * number


def spin(seconds: float) -> int:
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass
    return os.getpid()


def hold(mebibytes: int) -> int:
    taken = bytearray()
    for _ in range(mebibytes):
        taken += b"\x01" * (1 << 20)
        time.sleep(0.002)
    return len(taken)


def refuse() -> None:
    raise MalformedInput("no", code="of_its_own", where="byte 3", remedy="send another")


def die() -> None:
    os._exit(3)


def lock() -> Any:
    """Something that cannot be sent back."""
    import threading

    return threading.Lock()
