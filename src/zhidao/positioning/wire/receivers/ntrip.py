"""NTRIP 2 (and 1) between client and caster, sans-IO: request, answer, body, table of sources.

Source: RTCM 10410.1 (not at hand), its request and answer as casters in use speak them; chunked
bodies by RFC 9112 section 7.1, Basic by RFC 7617.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from zhidao.core.errors import MalformedInput, NotFound, Refused, Unauthenticated, Unavailable

PORT: Final = 2101
HEAD_BYTES_MAX: Final = 16_384
CHUNK_BYTES_MAX: Final = 1_048_576
_SIZE_LINE_BYTES_MAX: Final = 256
_NAME: Final = re.compile(r"[A-Za-z0-9._~-]{1,100}\Z", re.ASCII)
_STATUS: Final = re.compile(rb"(HTTP/1\.[01]|ICY|SOURCETABLE) (\d{3})")


@dataclass(frozen=True, slots=True)
class Login:
    """Name and password; sent as RFC 7617 tells."""

    user: str
    password: str = field(repr=False)


class Address(NamedTuple):
    """Where a stream is; an empty mount stands for the caster's table. tls: by `ntrips://`."""

    host: str
    port: int
    mount: str
    tls: bool


def address_of(text: str) -> Address:
    """An address such as ntrips://caster.example:443/MOUNT. Raises MalformedInput for others.

    Names and passwords are not taken here: an address is seen in lists of processes.
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise _no_address(text) from error
    good = parts.scheme in ("ntrip", "ntrips") and parts.hostname and port != 0
    if not good or parts.query or parts.fragment or "@" in parts.netloc:
        raise _no_address(text)
    mount = parts.path.strip("/")
    if mount and not _NAME.match(mount):
        raise _no_address(text)
    return Address(parts.hostname or "", port or PORT, mount, parts.scheme == "ntrips")


def _no_address(text: str) -> MalformedInput:
    # Whatever stands before an @ may be a password.
    return MalformedInput(
        f"no address of a caster: {text.rpartition('@')[2][:80]!r}",
        remedy="write ntrips://HOST:PORT/MOUNT, or ntrip:// without TLS; --login for the password",
    )


def login_of(data: bytes) -> Login:
    """Name and password out of a file: one line, NAME:PASSWORD. Raises MalformedInput."""
    try:
        line = data.decode().strip()
    except UnicodeDecodeError:
        line = ""
    user, colon, password = line.partition(":")
    if not user or not colon or "\n" in line:
        raise MalformedInput("a login is one line, NAME:PASSWORD")
    return Login(user, password)


def request(
    mount: str, *, host: str, agent: str, login: Login | None = None, gga: str = ""
) -> bytes:
    """The request for a mount point; the empty one asks for the table of sources.

    gga: a sentence with the receiver's place, for casters that compute a station near it.
    Raises MalformedInput for names that would break out of the request's lines.
    """
    if mount and not _NAME.match(mount):
        raise MalformedInput(f"no mount point: {mount[:40]!r}")
    lines = [
        f"GET /{mount} HTTP/1.1",
        f"Host: {host}",
        "Ntrip-Version: Ntrip/2.0",
        f"User-Agent: NTRIP {agent}",
        "Connection: close",
    ]
    if login:
        if ":" in login.user:
            raise MalformedInput("a user name for Basic holds no colon (RFC 7617 section 2)")
        pair = base64.b64encode(f"{login.user}:{login.password}".encode()).decode()
        lines.append(f"Authorization: Basic {pair}")
    if gga:
        lines.append(f"Ntrip-GGA: {gga.strip()}")
    if any(re.search(r"[\r\n\x00]", line) for line in lines):
        raise MalformedInput("a request line holds a line end")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


@dataclass(slots=True)
class AnswerReader:
    """Takes a caster's answer in pieces and gives the bytes of its body.

    `begun` once the head was good, `ended` once the body says that it is over. Raises
    Unauthenticated (401), NotFound (404, or a table of sources where a stream was asked), Refused
    or Unavailable (5xx) by the status, MalformedInput for what is no such answer.
    """

    wants_table: bool = False
    begun: bool = False
    ended: bool = False
    _chunked: bool = False
    _due: int = 0
    _rest: bytes = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Parts of the body that are complete now."""
        self._rest += data
        if not self.begun:
            if not self._head():
                return
            self.begun = True
        if not self._chunked:
            rest, self._rest = self._rest, b""
            if rest:
                yield rest
            return
        yield from self._chunks()

    def _head(self) -> bool:
        version_1 = self._rest.startswith(b"ICY ")
        stop = self._rest.find(b"\r\n" if version_1 else b"\r\n\r\n")
        if stop < 0 or (version_1 and len(self._rest) < stop + 4):
            if len(self._rest) > HEAD_BYTES_MAX:
                raise MalformedInput(f"the caster's head is longer than {HEAD_BYTES_MAX} bytes")
            if len(self._rest) >= 12 and not _STATUS.match(self._rest):
                raise MalformedInput(f"this is no caster: {self._rest[:40]!r}")
            return False
        # A caster of version 1 may end its one line by one or two line ends.
        more = 4 if not version_1 or self._rest[stop + 2 : stop + 4] == b"\r\n" else 2
        head, self._rest = self._rest[:stop], self._rest[stop + more :]
        found = _STATUS.match(head)
        if found is None:
            raise MalformedInput(f"this is no caster: {head[:40]!r}")
        _judge(int(found[2]), head)
        fields = head.decode("latin-1").lower()
        table = found[1] == b"SOURCETABLE" or "gnss/sourcetable" in fields
        if table and not self.wants_table:
            raise NotFound("the caster has no such mount point", remedy="read its table of sources")
        self._chunked = bool(re.search(r"(?m)^transfer-encoding:\s*chunked\s*$", fields))
        return True

    def _chunks(self) -> Iterator[bytes]:
        while not self.ended:
            if self._due:
                if len(self._rest) < self._due + 2:
                    return
                part, mark = self._rest[: self._due], self._rest[self._due : self._due + 2]
                if mark != b"\r\n":
                    raise MalformedInput("a chunk of the caster is longer than it says")
                self._rest, self._due = self._rest[self._due + 2 :], 0
                yield part
                continue
            stop = self._rest.find(b"\r\n")
            if stop < 0:
                if len(self._rest) > _SIZE_LINE_BYTES_MAX:
                    raise MalformedInput(
                        f"the caster sends no size of a chunk within {_SIZE_LINE_BYTES_MAX} bytes"
                    )
                return
            text = self._rest[:stop].split(b";")[0].strip()
            if not re.fullmatch(rb"[0-9A-Fa-f]{1,8}", text):
                raise MalformedInput(f"the caster sends no size of a chunk: {text[:20]!r}")
            if int(text, 16) > CHUNK_BYTES_MAX:
                raise MalformedInput(
                    f"a chunk of {int(text, 16)} bytes; at most {CHUNK_BYTES_MAX} are read"
                )
            self._rest, self._due = self._rest[stop + 2 :], int(text, 16)
            self.ended = not self._due


def _judge(status: int, head: bytes) -> None:
    line = head.split(b"\r\n")[0][:80].decode("latin-1")
    if status == 401:
        raise Unauthenticated("the caster wants another name or password", remedy="check the login")
    if status == 404:
        raise NotFound("the caster has no such mount point", remedy="read its table of sources")
    if status >= 500:
        raise Unavailable(f"the caster answers {line!r}")
    if status != 200:
        raise Refused(f"the caster answers {line!r}")


@dataclass(frozen=True, slots=True)
class Source:
    """One stream of a caster: STR fields that a user chooses by. Degrees; NaN where untold."""

    mount: str
    identifier: str
    form: str
    details: str
    systems: str
    country: str
    latitude_deg: float
    longitude_deg: float
    wants_gga: bool
    login: str
    bits_per_s: int


def sources_of(table: bytes) -> list[Source]:
    """The streams of a table of sources, in its order; lines that are none are passed over.

    Raises MalformedInput for a table without its end, which was cut on the way.
    """
    text = table.decode("utf-8", "replace")
    lines = text.splitlines()
    if "ENDSOURCETABLE" not in (line.strip() for line in lines):
        raise MalformedInput("the table of sources has no end", remedy="ask again")
    return [_source(line.split(";")) for line in lines if line.startswith("STR;")]


def _source(fields: list[str]) -> Source:
    f = [*fields, *([""] * 19)]
    rate = _number(f[17])
    return Source(
        mount=f[1],
        identifier=f[2],
        form=f[3],
        details=f[4],
        systems=f[6],
        country=f[8],
        latitude_deg=_number(f[9]),
        longitude_deg=_number(f[10]),
        wants_gga=f[11].strip() == "1",
        login=f[15],
        bits_per_s=0 if math.isnan(rate) else int(rate),
    )


def _number(text: str) -> float:
    found = re.fullmatch(r"\s*(-?\d{1,9}(?:\.\d{1,12})?)\s*", text, re.ASCII)
    return float(found[1]) if found else math.nan
