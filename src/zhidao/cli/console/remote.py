"""A running node's API, for commands that ask it: one address, one token, typed refusals."""

from __future__ import annotations

import argparse
import json
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from zhidao.cli.console.certificates import distrusted, trusting, untrusted
from zhidao.cli.console.outputs import check_private, note_heard, take
from zhidao.cli.console.profiles import SESSION, Profile, add_profile, chosen, session_headers
from zhidao.core.errors import MalformedInput, NotFound, Refused, Unavailable
from zhidao.core.limits import JSON_BYTES_MAX

if TYPE_CHECKING:
    from zhidao.core.hosts.answers import Answer

# Until a connection stands, and between two pieces of a file.
_CONNECT_S: Final = 15.0
_SECONDS: Final = 60.0
# A question and its whole answer; with a file in it, either way, as a slow line needs it.
_JSON_S: Final = 60.0
_FILE_S: Final = 1800.0
# A JSON body of more is a file too: 4.4 kB in a second carry this one within a minute.
_FILE_FROM_BYTES: Final = 256 * 1024
_OPENS_SESSION: Final = (("POST", "/v1/session"), ("PUT", "/v1/session/password"))
_SAID: Final = ("code", "detail", "where", "remedy")
# As much as the largest proof file.
ANSWER_BYTES_MAX: Final = 64 * 1024 * 1024
_TOKEN_BYTES_MAX: Final = 1024


def add_node(parser: argparse.ArgumentParser, *, public: bool = False) -> None:
    """Adds --url, --token-file, --ca, --profile and --json. public: strangers may ask."""
    parser.add_argument(
        "--url", default="", help="the node's address, https://host:port; default: the profile's"
    )
    parser.add_argument("--token-file", type=Path, help="file of mode 0600 with the API token")
    parser.add_argument("--ca", type=Path, help="certificate of the node, if its own")
    parser.set_defaults(public=public)
    add_profile(parser)
    parser.add_argument("--json", action="store_true", help="answer in JSON")


def token_in(file: Path) -> str:
    """The token of a file. Raises MalformedInput if it is not there, or others may read it."""
    told = take(file, bytes_max=_TOKEN_BYTES_MAX, beside=True)
    check_private(file)
    return told.decode("ascii", errors="replace").strip()


def check_address(url: str) -> None:
    """Raises MalformedInput unless it is the address of a node: http or https, host, port."""
    parts = urlsplit(url)
    try:
        right = parts.scheme in ("https", "http") and parts.hostname and parts.port != 0
    except ValueError:  # A port that is no number.
        right = False
    if not right or parts.query or parts.fragment or any(each <= " " for each in url):
        raise MalformedInput(
            f"no address of a node: {url[:60]!r}", remedy="such as https://localhost:8443"
        )


def _login_again(url: str, profile: str) -> str:
    return f"zhidao login {url} --profile {profile}"


class RemoteNode:
    """One node over HTTPS."""

    def __init__(self, options: argparse.Namespace) -> None:
        """The node of the options, or of the profile that counts; `options.url` is its address.

        Raises MalformedInput for what is no address, for a token file that is not there or that
        others may read, and where neither options nor a profile say which node and who asks.
        """
        profile = chosen(options)
        self._url = str(options.url or (profile.url if profile else "")).rstrip("/")
        if not self._url:
            raise MalformedInput("which node is asked?", code="no_node")
        check_address(self._url)
        options.url = self._url
        self._headers = self._of_caller(options, profile)
        self._ca = options.ca or (Path(profile.ca) if profile and profile.ca else None)
        self._cookies: dict[str, str] = {}
        self._silent = False
        # What to type once a profile's session or token no longer counts.
        own = options.token_file is not None
        self._login = "" if own or not profile else _login_again(self._url, profile.name)
        if self._ca:
            trusting(self._ca)  # What is no certificate is told before anybody types a password.

    def _of_caller(self, options: argparse.Namespace, profile: Profile | None) -> dict[str, str]:
        if options.token_file is not None:
            return {"Authorization": f"Bearer {token_in(options.token_file)}"}
        if getattr(options, "person", ""):
            return {}  # Who signs in next.
        if profile is None and not getattr(options, "public", True):
            raise MalformedInput("who asks?", code="no_caller")
        return profile.headers if profile else {}

    @property
    def knows_caller(self) -> bool:
        """Whether it is asked in somebody's name."""
        return bool(self._headers)

    @property
    def session(self) -> dict[str, str]:
        """The cookies of who signed in here."""
        return dict(self._cookies)

    def sign_in(self, name: str, password: str) -> None:
        """Asks from now on as somebody who signed in.

        Raises Refused for a wrong password, Unavailable (`bad_answer`) for no session.
        """
        from zhidao.core.hosts.answers import bad_answer

        told = self.send("/v1/session", {"name": name, "password": password})
        if isinstance(told, dict) and told.get("passkey"):
            raise Refused(
                f"{name} signs in with a passkey, which no command can show",
                code="passkey_needed",
                remedy="name a token with --token-file, or use the pages",
            )
        if not self._cookies.get(SESSION):
            raise bad_answer(f"{self._url}/v1/session", "a sign-in without a session")
        self._headers = session_headers(self._cookies)

    def sign_out(self) -> None:
        """Ends the session that was opened here. One that is over, or out of reach, is left."""
        if not self._cookies.get(SESSION) or self._silent:
            return
        self._headers, self._cookies = session_headers(self._cookies), {}
        with suppress(Refused, Unavailable):
            self.send("/v1/session", None, method="DELETE")

    def get(self, path: str) -> Any:
        """The JSON answer of a GET. Raises Unavailable (`bad_answer`) for one that is none."""
        return self._read(self._ask("GET", path))

    def data(self, path: str) -> bytes:
        """The bytes that a GET answers."""
        return self._ask("GET", path, file=True).data

    def send(self, path: str, body: object, method: str = "POST") -> Any:
        """The JSON answer to a JSON body, or None."""
        answer = self._ask(method, path, **_json_body(body))
        return self._read(answer) if answer.data else None

    def _read(self, answer: Answer) -> Any:
        told = answer.json()
        note_heard(answer.url)
        return told

    def upload(self, path: str, body: bytes, kind: str) -> bytes:
        """The bytes that a POST of bytes answers."""
        headers = {"content-type": kind}
        return self._ask("POST", path, file=True, content=body, headers=headers).data

    def _ask(self, method: str, path: str, *, file: bool = False, **more: Any) -> Answer:
        """The answer. Raises Unavailable, or Refused with the node's own code and words."""
        import asyncio

        answer = asyncio.run(self._answer(method, path, file=file, more=more))
        if answer.status >= 400:
            said = problem_of(answer)
            if answer.status == 401 and self._login and not self._cookies:
                # A token that its party did not agree to yet is not mended by signing in.
                waits = said.get("code") == "token_waits"
                said["remedy"] = said.get("remedy", "") if waits else self._login
            raise _refusal(answer.status, said)
        return answer

    async def _answer(self, method: str, path: str, *, file: bool, more: Any) -> Answer:
        import httpx

        from zhidao.core.hosts.answers import ask, no_answer

        headers = self._headers | more.pop("headers", {})
        waits = httpx.Timeout(_SECONDS, connect=_CONNECT_S)
        large = file or len(more.get("content", b"")) > _FILE_FROM_BYTES
        try:
            async with httpx.AsyncClient(verify=trusting(self._ca), timeout=waits) as client:
                answer = await ask(
                    *(client, method, f"{self._url}{path}"),
                    seconds=_FILE_S if large else _JSON_S,
                    bytes_max=ANSWER_BYTES_MAX if file else JSON_BYTES_MAX,
                    headers=headers,
                    **more,
                )
                if (method, path) in _OPENS_SESSION and answer.status < 400:
                    self._cookies = {each.name: str(each.value) for each in client.cookies.jar}
                return answer
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            self._silent = True
            if why := distrusted(error):
                raise untrusted(self._url, why, self._ca) from error
            raise no_answer(self._url, error, waited_s=waits.as_dict()) from error


def _json_body(body: object) -> dict[str, Any]:
    """A body as it is sent, so that its size tells how long it may take; none for None."""
    if body is None:
        return {}
    content = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return {"content": content.encode(), "headers": {"content-type": "application/json"}}


def problem_of(answer: Answer) -> dict[str, str]:
    """What a refusal says, each on one line. Raises Unavailable (`bad_answer`) for no problem.

    A node refuses by a problem document (RFC 9457) or without a word; another program may stand
    there, and its page is no refusal. Of what failed there (5xx) the beginning is shown.
    """
    from zhidao.core.hosts.answers import bad_answer

    if not answer.data:
        return {}
    try:
        found = answer.json()
    except Unavailable:
        found = None
    if not isinstance(found, dict):
        if answer.status < 500:
            raise bad_answer(answer.url, f"{answer.status} with what nobody can read")
        return {"detail": _line(answer.data.decode(errors="replace")[:200])}
    return {name: _line(str(found.get(name) or "")[:2000]) for name in _SAID}


def _line(text: str) -> str:
    return " ".join(text.split())


def _refusal(status: int, said: dict[str, str]) -> Exception:
    if said.get("code") == "invalid":
        # The node's own remedy is for who writes programs.
        said["remedy"] = "run the command with --help; it shows each option with an example"
    kinds = {400: MalformedInput, 413: MalformedInput, 404: NotFound}
    kind = Unavailable if status >= 500 else kinds.get(status, Refused)
    return kind(
        said.get("detail") or f"the node answers {status}",
        code=said.get("code") or None,
        where=said.get("where", ""),
        remedy=said.get("remedy", ""),
    )
