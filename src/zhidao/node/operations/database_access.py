"""The way to a node's database for commands: by its URL, beside a running node, or started here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from zhidao.core.errors import Refused
from zhidao.node.config import Config
from zhidao.store.embedded import EmbeddedPostgres
from zhidao.store.running import running_url


@contextmanager
def database_of(config: Config, *, make: bool = False) -> Iterator[str]:
    """The URL of the node's database for as long as the block runs.

    A server that is started here is stopped afterwards. `make` allows a new, empty one. Blocks;
    call it from the main thread. Raises Refused (`no_node`) if no node has run in the data
    folder, Unavailable if the server does not come up.
    """
    given = config.text("database.url")
    folder = config.data / "postgres"
    running = None if given else running_url(folder)
    if given or running:
        yield given or running or ""
        return
    if not make and not (folder / "cluster").is_dir():
        raise Refused(
            f"no node has run in {config.data}",
            code="no_node",
            remedy="name its folder with --data, or its settings with --config",
        )
    config.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    server = EmbeddedPostgres(folder)
    try:
        yield server.start()
    finally:
        server.stop()
