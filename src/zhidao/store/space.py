"""Stops writing before the disk is full, because a database that meets a full disk falls over.

PostgreSQL ends itself when it cannot write its log ("PANIC: could not write to file"), and then
cannot even be read. So a node keeps a reserve: below it, every transaction is read-only.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

# Two checkpoints' worth of log for the embedded server (max_wal_size), and room to recover.
RESERVE_BYTES: Final = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class SpaceWatch:
    """Looks at the disk of one folder. `reserve_bytes` is what must stay free for the server."""

    folder: Path
    reserve_bytes: int = RESERVE_BYTES

    def free_bytes(self) -> int:
        """What this process may still write there."""
        status = os.statvfs(self.folder)
        return status.f_bavail * status.f_frsize

    def is_low(self) -> bool:
        """Whether the reserve is touched; costs a few microseconds."""
        return self.free_bytes() < self.reserve_bytes
