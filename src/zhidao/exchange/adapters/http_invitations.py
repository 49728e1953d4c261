"""Asks a node that invites for its invitation, over HTTPS, bounded in time and size."""

from __future__ import annotations

import asyncio
import ssl
from importlib import import_module
from typing import Any, Final

import msgspec

from zhidao.core.canonical import decode_json
from zhidao.core.errors import Conflict, MalformedInput, NotFound, Refused, Unavailable
from zhidao.exchange.domain.peer import Card
from zhidao.exchange.wire.card import CARD_BYTES_MAX, decode_card
from zhidao.exchange.wire.invitation import INVITATION_BYTES_MAX
from zhidao.exchange.wire.peer_link import PeerLink

INVITATION_PATH: Final = "/exchange/invitation"
_CARD_PATH: Final = "/exchange/card"
_WHOLE_S, _CONNECT_S = 10.0, 5.0
_OK, _NOT_FOUND, _CONFLICT = 200, 404, 409


class HttpNodes:
    """Implements `service.peer_invitations.Nodes`."""

    async def ask(self, link: PeerLink, invitation: bytes = b"") -> bytes:
        """The other node's invitation; see the port."""
        # The card is signed: whoever else stands in between can only withhold it. What bears the
        # code then goes to the certificate that this card names, and to no other.
        card = decode_card(await _exchanged(link.url + _CARD_PATH, None, bytes_max=CARD_BYTES_MAX))
        if card.key != link.key:
            raise Refused(
                f"{link.url} is {card.node} with the key {card.key.fingerprint}, not the node that"
                f" made this link ({link.key.fingerprint})",
                code="other_node",
            )
        body = msgspec.json.encode({"code": link.code, "invitation": invitation.decode()})
        url = link.url + INVITATION_PATH
        return await _exchanged(url, body, trusted=_trusted(card), bytes_max=INVITATION_BYTES_MAX)


def _trusted(card: Card) -> ssl.SSLContext | bool:
    if not card.certificate:
        return True
    try:
        return ssl.create_default_context(cadata=card.certificate)
    except (ssl.SSLError, ValueError) as error:
        raise MalformedInput(f"the certificate of {card.node} cannot be read") from error


async def _exchanged(
    url: str, body: bytes | None, *, bytes_max: int, trusted: ssl.SSLContext | bool = False
) -> bytes:
    # In a thread, so that loading it holds up nobody else.
    library = await asyncio.to_thread(import_module, "httpx")
    timeout = library.Timeout(_WHOLE_S, connect=_CONNECT_S)
    answer = bytearray()
    try:
        async with (
            asyncio.timeout(_WHOLE_S),
            library.AsyncClient(
                timeout=timeout, verify=trusted, follow_redirects=False, trust_env=False
            ) as client,
            client.stream(
                "GET" if body is None else "POST",
                url,
                content=body,
                headers={"content-type": "application/json"} if body else {},
            ) as response,
        ):
            async for piece in response.aiter_bytes():
                answer += piece
                if len(answer) > bytes_max:
                    raise Unavailable(f"{url} answers more than {bytes_max} bytes")
            status = response.status_code
    except (library.HTTPError, OSError, TimeoutError) as error:
        reason = str(error) or type(error).__name__
        raise Unavailable(f"{url} does not answer: {reason}", code="no_answer") from error
    if status == _OK:
        return bytes(answer)
    raise _refusal(url, status, bytes(answer))


def _refusal(url: str, status: int, body: bytes) -> Exception:
    """What the other node said, as an error of this one."""
    try:
        said = decode_json(body, dict[str, Any])
    except (MalformedInput, msgspec.DecodeError, UnicodeDecodeError):
        said = {}
    code = str(said.get("code", ""))
    sentence = f"{url.removesuffix(INVITATION_PATH)} says: {str(said.get('detail', status))[:300]}"
    if code in ("link_used", "link_withdrawn", "link_expired"):
        return Refused(sentence, code=code)
    if status == _NOT_FOUND:
        return NotFound(sentence, code="no_such_link")
    if status == _CONFLICT:
        return Conflict(sentence)
    return Unavailable(sentence, code="no_answer")
