"""What is done of building a node before it can be built: without database, leases or keys."""

from __future__ import annotations

import contextlib
import importlib
from pathlib import Path
from typing import Final

from zhidao.core.errors import ZhidaoError
from zhidao.core.files.bounded import read_kept
from zhidao.core.keyfile import open_vault

# Litestar looks for pydantic when an application is made, where it is installed.
_NEEDED: Final = (
    *("zhidao.node.wiring.node", "zhidao.node.wiring.process"),
    *("argon2", "litestar.plugins.pydantic", "litestar.plugins.attrs", "uvloop"),
)


def import_needed() -> None:
    """Imports what a node is built of; what is not installed is left to who needs it."""
    for name in _NEEDED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def warm_up(data: Path, passphrase: bytes) -> None:
    """Imports what a node needs, reads its pages, and derives what opens its keys.

    Nothing of it is kept that another process could change; what it cannot do, the takeover does
    or refuses.
    """
    import_needed()
    from zhidao.node.web.pages import built

    built()
    if not passphrase:
        return
    with contextlib.suppress(ZhidaoError, OSError):
        open_vault(read_kept(data / "keys" / "vault.json"), passphrase)
