"""What is read of the answer of a host, which may lie: so many bytes, so deep, for so long.

A length that a host tells is no promise and a time-out of one read is none of the whole: who sends
a byte a second keeps it. So the bytes are counted as they come, and the clock is one for all.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from zhidao.core.canonical import parse_strict
from zhidao.core.errors import MalformedInput, Unavailable
from zhidao.core.limits import JSON_BYTES_MAX

_URL_CHARACTERS: Final = 200


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. `headers`: by names in small letters."""

    url: str
    status: int
    headers: Mapping[str, str]
    data: bytes

    def json(self) -> Any:
        """The answer as strict JSON, at most 64 levels deep. Raises Unavailable (`bad_answer`)."""
        try:
            return parse_strict(self.data)
        except MalformedInput as error:
            place = f" ({error.where})" if error.where else ""
            raise bad_answer(self.url, f"what nobody can read: {error.args[0]}{place}") from error


async def ask(
    client: Any,
    method: str,
    url: str,
    *,
    seconds: float,
    bytes_max: int = JSON_BYTES_MAX,
    **more: Any,
) -> Answer:
    """The answer to one request by an `httpx.AsyncClient`, whole within `seconds`.

    more: as of `httpx.AsyncClient.stream`. Raises Unavailable (`bad_answer`) for one of more bytes
    or more time, and httpx's own errors for none.
    """
    try:
        async with (
            asyncio.timeout(seconds),
            client.stream(method, url, **more) as response,
        ):
            data = await bounded(response.aiter_bytes(), url, bytes_max=bytes_max)
            headers = {name.lower(): value for name, value in response.headers.items()}
            return Answer(url, response.status_code, headers, data)
    except TimeoutError as error:
        raise bad_answer(url, f"no whole answer within {seconds:.0f} s") from error


async def bounded(pieces: AsyncIterator[bytes], url: str, *, bytes_max: int) -> bytes:
    """The pieces as one. Raises Unavailable (`bad_answer`) as soon as there are too many bytes."""
    data = bytearray()
    async for piece in pieces:
        data += piece
        if len(data) > bytes_max:
            raise bad_answer(url, f"more than {bytes_max} bytes")
    return bytes(data)


# What httpx says in no words of its own, by the name of its error.
_WORDS: Final = {
    "ConnectTimeout": "no connection within {connect:.0f} s",
    "ReadTimeout": "it said nothing for {read:.0f} s",
    "WriteTimeout": "it took nothing for {write:.0f} s",
    "PoolTimeout": "no connection was free for {pool:.0f} s",
    "ConnectError": "no connection",
    "ReadError": "the connection broke while it answered",
    "WriteError": "the connection broke while it was asked",
    "RemoteProtocolError": "it does not speak HTTP",
}


def no_answer(url: str, error: Exception, *, waited_s: Mapping[str, float | None]) -> Unavailable:
    """Why there is no answer, in words: httpx's own where it has some.

    waited_s: its bounds in seconds, by `connect`, `read`, `write` and `pool`.
    """
    words = _WORDS.get(type(error).__name__, "the connection failed")
    why = str(error).strip()[:_URL_CHARACTERS] or words.format(**waited_s)
    return Unavailable(f"{url[:_URL_CHARACTERS]} does not answer: {why}")


def bad_answer(url: str, what: str) -> Unavailable:
    """Why an answer is none; its remedy stands in `remedies.toml`."""
    return Unavailable(f"{url[:_URL_CHARACTERS]} answers {what}", code="bad_answer")
