"""How participants get into their nodes: by a one-time code once, by their own tokens after."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Final

import httpx

from zhidao.core.errors import Unavailable
from zhidao.node.security.private_files import write_private
from zhidao.simulation import participants
from zhidao.simulation.client import Caller, NodeRefused
from zhidao.simulation.node_process import NodeProcess

TOKENS: Final = "tokens.json"
AUDITOR: Final = "auditor"
_TRIES: Final = 200
_POLL_S: Final = 0.1


async def let_in(
    http: httpx.AsyncClient, node: NodeProcess, parties: Sequence[str]
) -> dict[str, Caller]:
    """A caller for each of these participants, the operator and an auditor.

    Their tokens are kept beside the node's data, so that a run that goes on needs no code again.
    Raises Unavailable if the node gives no code.
    """
    kept = node.data / TOKENS
    if not kept.exists():
        made = await _make_tokens(http, await _sign_in(http, node), parties, operator=node.name)
        write_private(kept, json.dumps(made).encode())
    tokens = json.loads(kept.read_bytes())
    return {party: Caller(http, token) for party, token in tokens.items()}


async def admit_each_other(one: Caller, other: Caller) -> None:
    """Does what two operators do with `zhidao peer card` and `zhidao peer add --trust`."""
    asked = [each.ask("GET", path) for each in (one, other) for path in _CARDS]
    answers = [answer.text for answer in await asyncio.gather(*asked)]
    await asyncio.gather(
        one.post("/v1/exchange/peers", {"card": answers[2], "trust": answers[3]}),
        other.post("/v1/exchange/peers", {"card": answers[0], "trust": answers[1]}),
    )


_CARDS: Final = ("/exchange/card", "/v1/trust-list")


async def _make_tokens(
    http: httpx.AsyncClient, admin: Caller, parties: Sequence[str], *, operator: str
) -> dict[str, str]:
    for party, name, role, country in (*participants.PARTIES, *participants.BESIDE):
        if party in parties:
            await admin.post(
                "/v1/parties",
                {"party": party, "name": name, "trade_role": role, "country": country},
            )
    # An operator speaks as the node itself, and agrees for parties that have no people yet.
    own = await admin.post(
        "/v1/tokens", {"party": operator, "role": "operator", "label": "demonstration"}
    )
    made = {participants.OPERATOR: str(own["token"])}
    agreeing = Caller(http, made[participants.OPERATOR])
    for party in parties:
        made[party] = await agreed_token(admin, agreeing, {"party": party, "role": "party"})
    made[AUDITOR] = await agreed_token(admin, agreeing, {"party": AUDITOR, "role": "auditor"})
    return made


async def agreed_token(admin: Caller, operator: Caller, token: dict[str, str]) -> str:
    """A token of a party without people: the admin makes it, the operator agrees for the party."""
    made = await admin.post("/v1/tokens", {"label": "demonstration", **token})
    text = str(made["token"])
    await operator.post(f"/v1/tokens/{text.split('_')[1]}/agreement", None)
    return text


async def _sign_in(http: httpx.AsyncClient, node: NodeProcess) -> Caller:
    for _ in range(_TRIES):
        state = node.state() or {}
        try:
            answer = await Caller(http).ask(
                "POST", "/v1/session/link", json={"code": state.get("admin_code", "none")}
            )
        except NodeRefused:
            # The code was used by a call whose answer got lost; the next start prints another.
            await asyncio.sleep(_POLL_S)
            continue
        return Caller(http, headers=_session_headers(answer))
    raise Unavailable("the node gave no one-time code for the demonstration")


def _session_headers(answer: httpx.Response) -> dict[str, str]:
    """The session as headers: a client keeps no Secure cookie of a plain loopback address."""
    set_cookies = [v for k, v in answer.headers.multi_items() if k.lower() == "set-cookie"]
    pairs = [cookie.partition(";")[0] for cookie in set_cookies]
    csrf = next(p.partition("=")[2] for p in pairs if p.startswith("zhidao_csrf="))
    return {"Cookie": "; ".join(pairs), "X-CSRF-Token": csrf}
