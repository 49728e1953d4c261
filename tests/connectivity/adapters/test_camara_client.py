"""An operator's CAMARA APIs are asked as a client; no failure of theirs becomes a location."""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from tests.connectivity.served import PHONE, Operator, serving

from zhidao.connectivity.adapters import camara_client
from zhidao.connectivity.adapters.camara_client import REACH, RETRIEVE, CamaraNetwork
from zhidao.connectivity.domain.sim import Sim
from zhidao.connectivity.domain.subscriber_location import Presence
from zhidao.connectivity.service.ports import NetworkAway
from zhidao.connectivity.wire.network_files import CamaraPlan
from zhidao.core.ambient import HandClock
from zhidao.core.timescale import NS, Utc
from zhidao.node.adapters.tls.certificate import own_certificate

SIM = Sim(PHONE, "operator")
SECRET = "a secret/of the test"
TOKEN = {"access_token": "t0ken-of-the-test", "token_type": "Bearer", "expires_in": 3600}
SEEN = {
    "lastLocationTime": "2026-11-30T19:59:00Z",
    "area": {
        "areaType": "CIRCLE",
        "center": {"latitude": 43.35, "longitude": 77.04},
        "radius": 800,
    },
}
NOW = Utc.parse("2026-11-30T20:00:00Z")


class Asked:
    def __init__(self, url: str, operator: Operator, **more: Any) -> None:
        self.operator, self.clock = operator, HandClock(NOW)
        plan = CamaraPlan(
            "operator", "40101", f"{url}/", f"{url}/token", "zhi dao", "unused", **more
        )
        self.network = CamaraNetwork(plan, SECRET, 1, self.clock)

    def paths(self) -> list[str]:
        return [path for path, _, _ in self.operator.asked]

    def answers(self, path: str, status: int, document: Any) -> None:
        self.operator.answers[path] = (status, document)


@asynccontextmanager
async def asked(**more: Any) -> AsyncIterator[Asked]:
    operator = Operator({"/token": (200, TOKEN), RETRIEVE: (200, SEEN)})
    with serving(operator) as url:
        made = Asked(url, operator, **more)
        try:
            yield made
        finally:
            await made.network.close()


async def test_a_sim_is_where_its_operator_says_by_one_token_for_many_questions():
    async with asked(scope="location-retrieval:read") as a:
        found = await a.network.answer(SIM)
        (seen,) = found.locations
        assert (seen.radius_m, str(seen.at), seen.network) == (
            800,
            SEEN["lastLocationTime"],
            "operator",
        )
        (_, headers, form), (_, bearer, body) = a.operator.asked
        basic = base64.b64decode(headers[b"authorization"].removeprefix(b"Basic ")).decode()
        assert basic == "zhi+dao:a+secret%2Fof+the+test"
        told = {name: value[0] for name, value in parse_qs(form.decode()).items()}
        assert told == {"grant_type": "client_credentials", "scope": "location-retrieval:read"}
        assert bearer[b"authorization"] == b"Bearer t0ken-of-the-test"
        assert json.loads(body) == {"device": {"phoneNumber": PHONE}}
        # The answer is kept for seconds, the token until shortly before its end.
        await a.network.answer(SIM)
        assert a.paths() == ["/token", RETRIEVE]
        a.clock.advance(camara_client.KEPT_S)
        await a.network.answer(SIM)
        assert a.paths() == ["/token", RETRIEVE, RETRIEVE]
        a.clock.advance(3_600 - 10 - camara_client.KEPT_S)
        await a.network.answer(SIM)
        assert a.paths()[3:] == ["/token", RETRIEVE]


async def test_a_token_that_was_withdrawn_is_fetched_anew_once():
    async with asked() as a:
        a.answers(RETRIEVE, 401, {"status": 401, "code": "UNAUTHENTICATED", "message": ""})
        with pytest.raises(NetworkAway):
            await a.network.answer(SIM)
        assert a.paths() == ["/token", RETRIEVE, "/token", RETRIEVE]
        assert "401" in (await a.network.state()).why


@pytest.mark.parametrize(
    ("status", "code", "why", "withheld"),
    [
        (403, "PERMISSION_DENIED", "consent or a permission is missing", True),
        (404, "IDENTIFIER_NOT_FOUND", "knows no such number", False),
        (422, "LOCATION_RETRIEVAL.UNABLE_TO_LOCATE", "cannot locate it", False),
        (422, "SERVICE_NOT_APPLICABLE", "(SERVICE_NOT_APPLICABLE)", False),
    ],
)
async def test_what_the_operator_does_not_tell_has_its_reason(status, code, why, withheld):
    async with asked() as a:
        a.answers(RETRIEVE, status, {"status": status, "code": code, "message": "of theirs"})
        found = await a.network.answer(SIM)
        assert (found.locations, found.withheld) == ((), withheld)
        assert why in found.why
        assert (await a.network.state()).answers


def seen(**changes: Any) -> dict[str, Any]:
    return SEEN | changes


@pytest.mark.parametrize(
    ("status", "document"),
    [
        (200, b"[" * 60_000),
        (200, b" " * (camara_client.ANSWER_BYTES_MAX + 1)),
        (200, b'{"lastLocationTime": "2026-11-30T19:59:00Z", "area": {"radius": NaN}}'),
        (200, seen(area=SEEN["area"] | {"radius": 0})),
        (200, seen(lastLocationTime="2026-11-30T20:02:00Z")),
        (200, seen(device={"phoneNumber": "+77010000009"})),
        (204, b""),
        (302, b""),
        (400, {"code": "INVALID_ARGUMENT"}),
        (403, b"<html>"),
        (404, {"code": "NOT_FOUND"}),
        (404, b"no such page"),
        (500, {"code": "INTERNAL"}),
        (503, {"code": "UNAVAILABLE"}),
    ],
)
async def test_a_server_that_fails_or_lies_gives_no_circle(status, document):
    async with asked() as a:
        a.answers(RETRIEVE, status, document)
        with pytest.raises(NetworkAway) as caught:
            await a.network.answer(SIM)
        assert caught.value.retry_after_s == 10
        assert "127.0.0.1" not in str(caught.value)
        state = await a.network.state()
        assert (state.answers, bool(state.why)) == (False, True)


@pytest.mark.parametrize(("told", "kept_s"), [("17", 17), ("9999", 300), ("0", 1), ("Mon", 10)])
async def test_who_asks_too_often_waits_as_long_as_the_operator_says(told: str, kept_s: int):
    async with asked() as a:
        a.answers(RETRIEVE, 429, {"code": "TOO_MANY_REQUESTS"})
        a.operator.headers = [(b"retry-after", told.encode())]
        with pytest.raises(NetworkAway) as caught:
            await a.network.answer(SIM)
        assert caught.value.retry_after_s == kept_s
        count = len(a.operator.asked)
        a.answers(RETRIEVE, 200, SEEN)
        with pytest.raises(NetworkAway):
            await a.network.answer(SIM)
        assert len(a.operator.asked) == count
        a.clock.advance(kept_s)
        assert (await a.network.answer(SIM)).locations
        assert (await a.network.state()).why == ""


@pytest.mark.parametrize(
    ("status", "document", "why"),
    [
        (401, {"error": "invalid_client", "error_description": "of theirs"}, "401 invalid_client"),
        (400, {"error": "<b>"}, "400"),
        (200, {"token_type": "Bearer"}, "no token"),
        (200, TOKEN | {"access_token": "two\nlines"}, "no token"),
        (200, TOKEN | {"token_type": "mac"}, "no bearer token"),
        (200, [], "no token"),
        (200, b"<html>", "what nobody can read"),
        (503, {}, "503"),
        (302, {}, "302"),
    ],
)
async def test_without_a_token_nobody_is_asked(status, document, why):
    async with asked() as a:
        a.answers("/token", status, document)
        with pytest.raises(NetworkAway):
            await a.network.answer(SIM)
        state = await a.network.state()
        assert not state.answers
        assert why in state.why
        assert "of theirs" not in state.why
        # Of many who come none asks again before its time.
        answers = (a.network.answer(SIM) for _ in range(20))
        found = await asyncio.gather(*answers, return_exceptions=True)
        assert all(isinstance(each, NetworkAway) for each in found)
        assert a.paths() == ["/token"]


@pytest.mark.parametrize("told", [None, -5, "3600", True, 10**9])
async def test_a_token_counts_no_longer_than_a_day_and_a_minute_if_nobody_says(told):
    async with asked() as a:
        a.answers("/token", 200, TOKEN | {"expires_in": told})
        await a.network.answer(SIM)
        a.clock.advance(86_400 if told == 10**9 else 50)
        await a.network.answer(SIM)
        assert a.paths().count("/token") == 2


async def test_a_server_that_is_silent_is_left_after_its_time_and_then_alone(monkeypatch):
    monkeypatch.setattr(camara_client, "_SECONDS", 0.3)
    async with asked() as a:
        stopped = asyncio.Event()

        async def silent(scope: Any, receive: Any, send: Any) -> None:
            stopped.set()
            await asyncio.sleep(2)

        with serving(silent) as url:
            plan = CamaraPlan("operator", "40101", url, f"{url}/token", "me", "unused")
            network = CamaraNetwork(plan, SECRET, 1, a.clock)
            begun = time.monotonic()
            answers = (network.answer(SIM) for _ in range(30))
            found = await asyncio.gather(*answers, return_exceptions=True)
            assert all(isinstance(each, NetworkAway) for each in found)
            assert time.monotonic() - begun < 2
            await network.close()


async def test_whether_it_can_be_reached_is_asked_where_the_operator_offers_it():
    async with asked(reachability=True) as a:
        a.answers(REACH, 200, {"lastStatusTime": "2026-11-30T20:00:00Z", "reachable": False})
        assert (await a.network.answer(SIM)).presence is Presence.UNREACHABLE
    async with asked(reachability=True) as a:  # It is not served: the location stands without it.
        found = await a.network.answer(SIM)
        assert (len(found.locations), found.presence) == (1, Presence.UNKNOWN)


async def test_no_log_and_no_answer_holds_a_secret_or_a_token(caplog):
    caplog.set_level(logging.DEBUG)
    async with asked() as a:
        await a.network.answer(SIM)
        a.answers(RETRIEVE, 500, {})
        a.clock.advance(camara_client.KEPT_S)
        with pytest.raises(NetworkAway):
            await a.network.answer(SIM)
        told = caplog.text + repr(await a.network.state()) + repr(a.network)
        assert not any(each in told for each in (SECRET, TOKEN["access_token"]))


async def test_answers_are_kept_of_so_many_sims_only(monkeypatch):
    monkeypatch.setattr(camara_client, "_KEPT_ANSWERS", 2)
    async with asked() as a:
        for number in range(1, 4):
            await a.network.answer(Sim(f"+7701000000{number}", "operator"))
        assert list(a.network._kept) == ["+77010000002", "+77010000003"]
        assert a.clock.now().since_ns(NOW) < NS


async def test_over_tls_only_a_certificate_that_is_vouched_for_gets_the_secret(tmp_path):
    certificate, key = own_certificate(tmp_path, "127.0.0.1")
    operator = Operator({"/token": (200, TOKEN), RETRIEVE: (200, SEEN)})
    with serving(operator, certificate, key) as url:
        plan = CamaraPlan("operator", "40101", url, f"{url}/token", "me", "unused")
        for authority, answers in (("", False), (Path(certificate).read_text(), True)):
            network = CamaraNetwork(plan, SECRET, 1, HandClock(NOW), authority)
            if answers:
                assert (await network.answer(SIM)).locations
            else:
                with pytest.raises(NetworkAway):
                    await network.answer(SIM)
                assert operator.asked == []
                assert "certificate" in (await network.state()).why.lower()
            await network.close()
