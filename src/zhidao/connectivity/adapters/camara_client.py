"""An operator's own CAMARA APIs, asked as a client: where a SIM is, and whether it can be reached.

The token comes by OAuth 2.0 client credentials (RFC 6749 section 4.4). What the operator does not
tell for want of consent is kept apart from what it does not know.
"""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote_plus

import httpx

from zhidao.connectivity.adapters.plain_client import PlainClient
from zhidao.connectivity.domain.sim import Sim
from zhidao.connectivity.domain.subscriber_location import NetworkAnswer, Presence
from zhidao.connectivity.service.ports import BackendState, NetworkAway
from zhidao.connectivity.wire import camara_answers
from zhidao.connectivity.wire.network_files import CamaraPlan
from zhidao.core.ambient import Clock
from zhidao.core.errors import MalformedInput, Unavailable
from zhidao.core.hosts.answers import Answer, ask, bad_answer, no_answer
from zhidao.core.timescale import NS, Utc

KIND: Final = "camara"
KEPT_S: Final = 5
RETRIEVE: Final = "/location-retrieval/v0.5/retrieve"
REACH: Final = "/device-reachability-status/v1/retrieve"
ANSWER_BYTES_MAX: Final = 64 * 1024
ASKED_AT_ONCE: Final = 8
_SECONDS: Final = 8.0
_WAITED: Final = dict.fromkeys(("connect", "read", "write", "pool"), _SECONDS)
_KEPT_ANSWERS: Final = 10_000
CLOCKS_APART_S: Final = 60
# A token is taken as over so long before its end; told none, RFC 6749 section 5.1 leaves it open.
_TOKEN_SPARE_S: Final = 10
_TOKEN_S: Final = 60
_TOKEN_S_MOST: Final = 86_400
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/=-]{1,8192}\Z", re.ASCII)
_OAUTH_ERROR: Final = re.compile(r"[a-z_]{1,40}\Z", re.ASCII)
_RETRY_S: Final = 10
_RETRY_S_MOST: Final = 300
_UNAUTHORIZED: Final = 401
_FORBIDDEN: Final = 403
_NOT_FOUND: Final = 404
_UNPROCESSABLE: Final = 422
_WITHHELD: Final = "its operator does not tell: the holder's consent or a permission is missing"
_REASONS: Final = {
    (_NOT_FOUND, "IDENTIFIER_NOT_FOUND"): "its operator knows no such number",
    (_UNPROCESSABLE, "LOCATION_RETRIEVAL.UNABLE_TO_LOCATE"): "its operator cannot locate it",
}
_WHY_CHARACTERS: Final = 200


class CamaraNetwork:
    """Implements `service.ports.SimNetwork`."""

    def __init__(
        self,
        plan: CamaraPlan,
        secret: str,
        sims: int,
        clock: Clock,
        authority: str = "",
    ) -> None:
        """sims: how many there are. authority: PEM certificates beside the machine's own."""
        self._plan = plan
        self._secret = secret
        self._sims = sims
        self._clock = clock
        self._client = PlainClient(_SECONDS, authority)
        self._slots = asyncio.Semaphore(ASKED_AT_ONCE)
        self._fetching = asyncio.Lock()
        self._token: tuple[str, Utc] | None = None
        self._kept: dict[str, tuple[Utc, NetworkAnswer]] = {}
        self._silent: tuple[Utc, int] | None = None
        self._answered_at: Utc | None = None
        self._why = ""

    async def answer(self, sim: Sim) -> NetworkAnswer:
        """Where a SIM is. Raises NetworkAway."""
        now = self._clock.now()
        kept = self._kept.get(sim.phone)
        if kept and _within(kept[0], now, KEPT_S):
            return kept[1]
        async with self._slots:
            self._check_silence(now)
            try:
                found = await self._located(sim)
                if self._plan.reachability:
                    found = replace(found, presence=await self._presence(sim))
            except Unavailable as error:
                raise self._away(error) from error
        self._answered_at, self._why = self._clock.now(), ""
        self._kept.pop(sim.phone, None)
        while len(self._kept) >= _KEPT_ANSWERS:
            del self._kept[next(iter(self._kept))]
        self._kept[sim.phone] = (self._answered_at, found)
        return found

    def covers(self, *_: object) -> bool:
        """Everywhere: the operator itself says where it locates nobody."""
        return True

    async def state(self) -> BackendState:
        """What it answers now: whether it gives a token; no SIM is asked about."""
        state = BackendState(name=self._plan.name, kind=KIND, plmn=self._plan.plmn, sims=self._sims)
        try:
            self._check_silence(self._clock.now())
            await self._bearer()
        except NetworkAway:
            pass
        except Unavailable as error:
            self._away(error)
        answered = (self._answered_at,) if self._answered_at else ()
        return replace(state, answers=not self._why, why=self._why, answered_at=answered)

    async def close(self) -> None:
        """Lets go of all connections."""
        await self._client.close()

    async def _located(self, sim: Sim) -> NetworkAnswer:
        answer = await self._asked(RETRIEVE, sim)
        if answer.status == httpx.codes.OK:
            try:
                seen = camara_answers.location(
                    answer.json(), phone=sim.phone, network=self._plan.name
                )
            except MalformedInput as error:
                raise bad_answer(answer.url, f"no location: {error.args[0]}") from error
            if seen.at.since_ns(self._clock.now()) > CLOCKS_APART_S * NS:
                raise bad_answer(answer.url, "a location of the future: its clock is wrong")
            return NetworkAnswer((seen,))
        return self._refused(answer)

    def _refused(self, answer: Answer) -> NetworkAnswer:
        """What a refusal says of the SIM. Raises Unavailable for one that says nothing of it."""
        try:
            code = camara_answers.refusal_code(answer.json())
        except Unavailable:
            code = ""
        if answer.status == _FORBIDDEN and code:
            return NetworkAnswer(why=_WITHHELD, withheld=True)
        known = _REASONS.get((answer.status, code), "")
        if not known and answer.status == _UNPROCESSABLE and code:
            known = f"its operator does not take the question ({code})"
        if known:
            return NetworkAnswer(why=known)
        raise bad_answer(answer.url, f"{answer.status} {code}".strip())

    async def _presence(self, sim: Sim) -> Presence:
        """Unknown where it is not told: where the SIM is stands without it."""
        try:
            answer = await self._asked(REACH, sim)
            if answer.status != httpx.codes.OK:
                return Presence.UNKNOWN
            return camara_answers.presence(answer.json(), phone=sim.phone)
        except (Unavailable, MalformedInput):
            return Presence.UNKNOWN

    async def _asked(self, path: str, sim: Sim) -> Answer:
        """The answer about a SIM, by a token that counts. Raises Unavailable."""
        url = f"{self._plan.api.rstrip('/')}{path}"
        body = {"device": {"phoneNumber": sim.phone}}
        for last in (False, True):
            token = await self._bearer()
            headers = {"authorization": f"Bearer {token}"}
            answer = await self._ask(url, json=body, headers=headers)
            if answer.status != _UNAUTHORIZED:
                break
            # It may have been withdrawn before its time.
            if self._token and self._token[0] == token:
                self._token = None
            if last:
                raise bad_answer(url, "401 to a token that its own server just gave")
        self._note_silence(answer)
        return answer

    async def _bearer(self) -> str:
        async with self._fetching:
            now = self._clock.now()
            if self._token and now.since_ns(self._token[1]) < 0:
                return self._token[0]
            # While this one waited, another may have learned that nobody answers.
            self._check_silence(now)
            form = {"grant_type": "client_credentials"}
            if self._plan.scope:
                form["scope"] = self._plan.scope
            # RFC 6749 section 2.3.1: each is encoded like a form's before they are joined.
            pair = f"{quote_plus(self._plan.client_id)}:{quote_plus(self._secret)}".encode()
            headers = {"authorization": f"Basic {base64.b64encode(pair).decode()}"}
            answer = await self._ask(self._plan.token, data=form, headers=headers)
            self._note_silence(answer)
            try:
                token, seconds = _token_in(answer)
            except Unavailable:
                self._silent = (now, _RETRY_S)
                raise
            self._token = (token, now.plus_ns(round(max(1, seconds - _TOKEN_SPARE_S) * NS)))
            return token

    async def _ask(self, url: str, **more: Any) -> Answer:
        client = await self._client.opened()
        try:
            return await ask(
                client, "POST", url, seconds=_SECONDS, bytes_max=ANSWER_BYTES_MAX, **more
            )
        except httpx.HTTPError as error:
            self._silent = (self._clock.now(), _RETRY_S)
            raise no_answer(url, error, waited_s=_WAITED) from error
        except Unavailable:
            self._silent = (self._clock.now(), _RETRY_S)
            raise

    def _note_silence(self, answer: Answer) -> None:
        """Raises Unavailable where it asks to be left alone, and keeps until when."""
        if answer.status == httpx.codes.TOO_MANY_REQUESTS or answer.status >= 500:
            self._silent = (self._clock.now(), _retry_s(answer.headers))
            raise bad_answer(answer.url, str(answer.status))

    def _check_silence(self, now: Utc) -> None:
        if self._silent and _within(self._silent[0], now, self._silent[1]):
            rest_s = self._silent[1] - now.since_ns(self._silent[0]) // NS
            raise NetworkAway(self._words, max(1, rest_s))
        self._silent = None

    def _away(self, error: Unavailable) -> NetworkAway:
        # Who asks about a SIM learns nothing of addresses; `state` tells its operator more.
        if not isinstance(error, NetworkAway):
            self._why = str(error.args[0])[:_WHY_CHARACTERS]
            return NetworkAway(self._words, self._silent[1] if self._silent else _RETRY_S)
        return error

    @property
    def _words(self) -> str:
        return f"network {self._plan.name} does not answer as it should"


def _token_in(answer: Answer) -> tuple[str, float]:
    """A bearer token and for how many seconds it counts. Raises Unavailable."""
    told = answer.json()
    if not isinstance(told, dict):
        raise bad_answer(answer.url, "no token")
    if answer.status != httpx.codes.OK:
        error = told.get("error")
        known = isinstance(error, str) and _OAUTH_ERROR.match(error)
        raise bad_answer(answer.url, f"{answer.status} {error if known else ''}".strip())
    token, kind = told.get("access_token"), told.get("token_type")
    if not isinstance(token, str) or not _TOKEN.match(token):
        raise bad_answer(answer.url, "no token")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise bad_answer(answer.url, "a token that is no bearer token")
    return token, _counts_s(told.get("expires_in"))


def _counts_s(told: object) -> float:
    """For how many seconds a token counts, by what its server told of it."""
    seconds = float(told) if isinstance(told, int | float) else 0.0
    return min(seconds, _TOKEN_S_MOST) if seconds > 0 else _TOKEN_S


def _retry_s(headers: Mapping[str, str]) -> int:
    """Retry-After in seconds, within bounds; a date is not read."""
    told = headers.get("retry-after", "")
    if not (told.isascii() and told.isdigit() and len(told) < 8):
        return _RETRY_S
    return min(max(int(told), 1), _RETRY_S_MOST)


def _within(at: Utc, now: Utc, seconds: int) -> bool:
    """Not so where the clock was set back."""
    return 0 <= now.since_ns(at) < seconds * NS
