"""The web server: uvicorn, told how this node listens, waits and ends."""

from __future__ import annotations

import contextlib
import signal
import socket
from collections.abc import Callable, Iterator
from typing import Any, Final

from zhidao.core.errors import Unavailable
from zhidao.node.config import Config, is_everywhere
from zhidao.node.http.connections import Connections, networks_of, room_for
from zhidao.node.http.forwarded import Proxies

_BACKLOG: Final = 2048


def listening(
    host: str, port: int, *, shared: bool = False, setting: str = "http.port"
) -> socket.socket:
    """The socket that the API listens on. Raises Unavailable if it cannot be had.

    shared: other processes of the same user may have one on the same port; the system spreads
    connections over all of them. setting: what names the port.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server(
            (host, port), family=family, backlog=_BACKLOG, reuse_port=shared
        )
    except (OSError, OverflowError) as error:
        raise Unavailable(
            f"port {port} of {host} cannot be taken: {error}",
            code="port_unavailable",
            remedy=f"end the program that has it, or set {setting} to another one",
        ) from error


def web_server(
    config: Config,
    app: Any,
    connections: Connections,
    certificate: tuple[str, str] | None,
    ending: Callable[[], None],
) -> Any:
    """A web server that ends when told and lets the node end cleanly after it.

    certificate: the files of certificate and key, or None for plain HTTP. ending: called first of
    all, to end what answers for as long as somebody listens.

    uvicorn raises a signal that it has dealt with once more, which would kill this process before
    it has stopped its children and removed its state file.
    """
    import uvicorn

    class Server(uvicorn.Server):
        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            before = {
                number: signal.signal(number, self.handle_exit)
                for number in (signal.SIGINT, signal.SIGTERM)
            }
            try:
                yield
            finally:
                for number, handler in before.items():
                    signal.signal(number, handler)

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            ending()
            await super().shutdown(sockets)

    return Server(_uvicorn_config(config, app, connections, certificate))


def connections_of(config: Config) -> Connections:
    """The bounds on connections that the settings say, within what the machine allows."""
    return Connections(
        block_max=config.number("http.connections_per_block"),
        total_max=room_for(config.number("http.connections_max")),
        proxies=proxies_of(config).networks,
    )


def proxies_of(config: Config) -> Proxies:
    """The operator's own proxies. Raises MalformedInput for what is no network."""
    return Proxies(
        networks_of(config.text("http.trusted_proxies"), "http.trusted_proxies"),
        config.text("http.forwarded_header").lower().encode(),
    )


def own_url(config: Config, port: int) -> str:
    """Where this machine's own programs find the node."""
    everywhere = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 (looked for, not bound to)
    host = config.text("http.host")
    return f"{_scheme(config)}://{_bracketed(everywhere.get(host, host))}:{port}"


def page_url(config: Config, port: int) -> str:
    """Where people find the node: its public host, this machine's name if it listens everywhere."""
    public = config.text("http.public_host")
    if public:
        return f"{_scheme(config)}://{public}"
    if is_everywhere(config.text("http.host")):
        return f"{_scheme(config)}://{socket.gethostname()}:{port}"
    return own_url(config, port)


def peers_url(config: Config) -> str:
    """Where other nodes find this one, as its card says; the port is the configured one."""
    return page_url(config, config.number("http.port"))


def _scheme(config: Config) -> str:
    return "http" if config.text("http.tls") == "off" else "https"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _uvicorn_config(
    config: Config, app: Any, connections: Connections, certificate: tuple[str, str] | None
) -> Any:
    import uvicorn

    from zhidao.node.http.timeouts import PatientHttp

    class CountedHttp(PatientHttp):
        shook = staticmethod(connections.shook)

    file, key = certificate or (None, None)
    return uvicorn.Config(
        app,
        http=CountedHttp,
        ws="none",
        host=config.text("http.host"),
        port=config.number("http.port"),
        ssl_certfile=file,
        ssl_keyfile=key,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=3,
        # `Guards` reads what trusted proxies say, `Connections` bounds who may connect.
        proxy_headers=False,
    )
