"""Real nodes that exchange over loopback TLS, and a line between them that misbehaves."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import random
import signal
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

import httpx

from zhidao.core.programs.child import free_port

START_S = 120.0
PASSWORD = "correct horse battery"


class RunningNode:
    """One node as a process of its own, with its own data, over its own certificate."""

    def __init__(self, folder: Path, name: str, settings: dict[str, str] | None = None) -> None:
        self.name = name
        self.port = free_port()
        self.url = f"https://127.0.0.1:{self.port}"
        self.party = f"{name}-trader"
        self.starts = 0
        self._data = folder / name
        self._folder = folder
        self._settings = settings or {}
        self._process: subprocess.Popen[bytes] | None = None
        self._tokens: dict[str, str] = {}

    def start(self) -> None:
        """Starts it and waits until it serves."""
        self.launch()
        self.await_ready()

    def launch(self) -> None:
        """Starts it."""
        passphrase = self._folder / f"{self.name}.passphrase"
        if not passphrase.exists():
            passphrase.touch(0o600)
            passphrase.write_text(PASSWORD)
        environment = os.environ | {
            "ZHIDAO_NODE_NAME": self.name,
            "ZHIDAO_HTTP_PORT": str(self.port),
            "ZHIDAO_HTTP_REQUESTS_PER_SECOND": "0",
            "ZHIDAO_HTTP_REFUSALS_PER_SECOND": "0",
            "ZHIDAO_KEYS_PASSPHRASE_FILE": str(passphrase),
            **self._settings,
        }
        words = [sys.executable, "-m", "zhidao.cli", "serve", "--json", "--data", str(self._data)]
        with (self._folder / f"{self.name}.log").open("ab") as log:
            self._process = subprocess.Popen(words, env=environment, stdout=log, stderr=log)
        self.starts += 1

    def await_ready(self) -> None:
        """Waits until it serves; makes its first admin and tokens at the first start."""
        deadline_s = time.monotonic() + START_S
        while (state := self._state()) is None:
            assert self._process is not None
            if self._process.poll() is not None or time.monotonic() > deadline_s:
                log = (self._folder / f"{self.name}.log").read_text()
                raise AssertionError(f"{self.name} does not start:\n{log[-2000:]}")
            time.sleep(0.05)
        if not self._tokens:
            self._settle(state)

    def kill(self) -> None:
        """SIGKILL, as a power cut would."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """Ends it cleanly."""
        if self._process and self._process.poll() is None:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(20)
            self._process.kill()
            self._process.wait()

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process is not None
        return self._process.pid

    @property
    def certificate(self) -> str:
        """PEM of its certificate."""
        return (self._data / "tls" / "certificate.pem").read_text()

    def token(self, role: str) -> str:
        """A token: `party` or `operator`."""
        return self._tokens[role]

    def client(self, role: str = "party") -> httpx.AsyncClient:
        """A client with that token."""
        return httpx.AsyncClient(
            base_url=self.url,
            verify=ssl.create_default_context(cadata=self.certificate),
            headers={"Authorization": f"Bearer {self.token(role)}"},
            timeout=30,
            trust_env=False,
        )

    def ask(self, method: str, path: str, role: str = "operator", **more: Any) -> httpx.Response:
        """One call."""
        with self._http() as http:
            headers = {"Authorization": f"Bearer {self.token(role)}"}
            return http.request(method, path, headers=headers, **more)

    def admit(self, other: RunningNode, *, url: str = "") -> None:
        """Admits another node by its card and its trust list."""
        body = {
            "card": other.ask("GET", "/exchange/card").text,
            "trust": other.ask("GET", "/v1/trust-list").text,
            "url": url,
        }
        answer = self.ask("POST", "/v1/exchange/peers", json=body)
        assert answer.status_code == 200, answer.text

    def _state(self) -> dict[str, Any] | None:
        try:
            state = json.loads((self._data / "node.json").read_bytes())
        except (OSError, ValueError):
            return None
        mine = self._process is not None and state["pid"] == self._process.pid
        return state if mine else None

    def _settle(self, state: dict[str, Any]) -> None:
        with self._http() as http:
            first = {
                "code": state["first_admin_code"],
                "name": "admin",
                "password": PASSWORD,
                "organisation": self.name,
            }
            answer = http.post("/v1/first-admin", json=first)
            assert answer.status_code == 200, answer.text
            csrf = {"x-csrf-token": http.cookies["zhidao_csrf"]}
            party = {"party": self.party, "name": "T", "trade_role": "bank", "country": "CN"}
            made = http.post("/v1/parties", json=party, headers=csrf)
            assert made.status_code < 300, made.text
            for role, name in (("party", self.party), ("operator", self.name)):
                asked = {"party": name, "role": role, "label": "exchange"}
                self._tokens[role] = http.post("/v1/tokens", json=asked, headers=csrf).json()[
                    "token"
                ]
        # The party has no people yet: the operator agrees to its token.
        token_id = self._tokens["party"].split("_")[1]
        agreed = self.ask("POST", f"/v1/tokens/{token_id}/agreement", "operator")
        assert agreed.status_code < 300, agreed.text

    def _http(self) -> httpx.Client:
        trusted = ssl.create_default_context(cadata=self.certificate)
        return httpx.Client(base_url=self.url, verify=trusted, timeout=30, trust_env=False)


class FaultyLine:
    """A TCP proxy that cuts connections before the request or before the answer, and delays."""

    def __init__(self, target_port: int, *, seed: int, faults: float) -> None:
        self.port = free_port()
        self.faults = faults
        self.cuts = 0
        self._target = target_port
        self._chance = random.Random(seed)
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """Where the line begins."""
        return f"https://127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        """Opens the line."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Closes it."""
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.close()
            return
        ways = [
            asyncio.create_task(self._carry(reader, back)),
            asyncio.create_task(self._carry(there, writer)),
        ]
        # The loop's end cancels connections that stand; a line that ends has nothing to report.
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        for end in (back, writer):
            end.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(65_536):
                if self.faults and self._chance.random() < self.faults:
                    self.cuts += 1
                    return
                if self.faults:
                    await asyncio.sleep(self._chance.random() * 0.02)
                writer.write(piece)
                await writer.drain()


def document_body(
    recipient: RunningNode, number: int, prefix: str, document: str
) -> dict[str, str]:
    """A document of a test, as the API wants it."""
    content = f"{prefix} document {number}".encode()
    return {
        "document": document,
        "recipient": recipient.name,
        "to_party": recipient.party,
        "consignment": f"{prefix}-{number % 4}",
        "kind": "trade.invoice",
        "media_type": "text/plain",
        "content": base64.b64encode(content).decode(),
    }
