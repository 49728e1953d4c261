"""A running node's API, for commands that ask it: one address, one token, typed refusals."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Final

from zhidao.cli.console.certificates import trusting
from zhidao.cli.console.outputs import take
from zhidao.core.errors import MalformedInput, NotFound, Refused, Unavailable

_SECONDS: Final = 60.0
_TOKEN_BYTES_MAX: Final = 1024


def add_node(parser: argparse.ArgumentParser, *, public: bool = False) -> None:
    """Adds --url, --token-file, --ca and --json. public: a token is not needed."""
    parser.add_argument("--url", required=True, help="the node's address, https://host:port")
    parser.add_argument(
        "--token-file",
        type=Path,
        required=not public,
        help="file of mode 0600 with the API token",
    )
    parser.add_argument("--ca", type=Path, help="certificate of the node, if its own")
    parser.add_argument("--json", action="store_true", help="answer in JSON")


class RemoteNode:
    """One node over HTTPS."""

    def __init__(self, options: argparse.Namespace) -> None:
        """Raises MalformedInput for a token file that is not there, Refused if others read it."""
        file: Path | None = options.token_file
        self._headers: dict[str, str] = {}
        if file is not None:
            token = take(file, bytes_max=_TOKEN_BYTES_MAX).decode("ascii", errors="replace").strip()
            if file.stat().st_mode & 0o077:
                raise Refused(f"others may read {file}", remedy=f"chmod 600 {file}")
            self._headers = {"Authorization": f"Bearer {token}"}
        self._url = str(options.url).rstrip("/")
        self._ca = options.ca

    def sign_in(self, name: str, password: str) -> None:
        """Asks from now on as somebody who signed in. Raises Refused for a wrong password."""
        answer = self._ask("POST", "/v1/session", json={"name": name, "password": password})
        if answer.json().get("passkey"):
            raise Refused(
                f"{name} signs in with a passkey, which no command can show",
                code="passkey_needed",
                remedy="name a token with --token-file, or use the pages",
            )
        pairs = {each.name: each.value for each in answer.cookies.jar}
        self._headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in pairs.items()),
            "X-CSRF-Token": str(pairs.get("zhidao_csrf", "")),
        }

    def get(self, path: str) -> Any:
        """The JSON answer of a GET."""
        return self._ask("GET", path).json()

    def data(self, path: str) -> bytes:
        """The bytes that a GET answers."""
        return bytes(self._ask("GET", path).content)

    def send(self, path: str, body: object, method: str = "POST") -> Any:
        """The JSON answer to a JSON body, or None."""
        answer = self._ask(method, path, json=body)
        return answer.json() if answer.content else None

    def upload(self, path: str, body: bytes, kind: str) -> bytes:
        """The bytes that a POST of bytes answers."""
        return bytes(self._ask("POST", path, content=body, headers={"content-type": kind}).content)

    def _ask(self, method: str, path: str, **more: Any) -> Any:
        """The answer. Raises Unavailable, or Refused with the node's own code and words."""
        import httpx

        headers = self._headers | more.pop("headers", {})
        trusted = trusting(self._ca)
        try:
            answer = httpx.request(
                *(method, f"{self._url}{path}"),
                headers=headers,
                verify=trusted,
                timeout=_SECONDS,
                **more,
            )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unavailable(f"{self._url} does not answer: {error}") from error
        if answer.status_code >= 400:
            raise _refusal(answer.status_code, _problem(answer))
        return answer


def _problem(answer: Any) -> dict[str, str]:
    try:
        found = answer.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        return {"detail": answer.text[:200]}
    return {name: str(found.get(name, "")) for name in ("code", "detail", "where", "remedy")}


def _refusal(status: int, said: dict[str, str]) -> Exception:
    kinds = {400: MalformedInput, 413: MalformedInput, 404: NotFound}
    kind = Unavailable if status >= 500 else kinds.get(status, Refused)
    return kind(
        said.get("detail") or f"the node answers {status}",
        code=said.get("code") or None,
        where=said.get("where", ""),
        remedy=said.get("remedy", ""),
    )
