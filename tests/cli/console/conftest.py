"""A host of ours that lies."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from zhidao.node.adapters.tls.certificate import own_certificate

Lie = Callable[[socket.socket], None]


@pytest.fixture
def lying(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Lie], str]]:
    """Gives the address of a host of ours that answers all with one lie."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.chdir(tmp_path)
    Path("a.token").write_text("one")
    Path("a.token").chmod(0o600)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*own_certificate(tmp_path, "127.0.0.1"))
    host = socket.create_server(("127.0.0.1", 0))

    def answer(line: socket.socket, lie: Lie) -> None:
        try:
            with context.wrap_socket(line, server_side=True) as told:
                heard = told.recv(65536)
                # Who closes before all was heard breaks the connection over its own answer.
                if size := re.search(rb"(?i)content-length: (\d+)", heard):
                    while len(heard.partition(b"\r\n\r\n")[2]) < int(size[1]):
                        heard += told.recv(65536)
                lie(told)
        except OSError:
            pass  # It is heard no more.

    def serve(lie: Lie) -> None:
        while True:
            try:
                line, _ = host.accept()
            except OSError:
                return
            threading.Thread(target=answer, args=(line, lie), daemon=True).start()

    def begin(lie: Lie) -> str:
        threading.Thread(target=serve, args=(lie,), daemon=True).start()
        return f"https://127.0.0.1:{host.getsockname()[1]}"

    yield begin
    # Closing alone wakes nobody who waits for a caller.
    host.shutdown(socket.SHUT_RDWR)
    host.close()
