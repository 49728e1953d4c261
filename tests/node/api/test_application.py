"""The whole front: guards, router and bodies together, with a real gate."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from litestar.testing import TestClient
from tests.connectivity.bench import bench
from tests.node.security.gate_world import World

from zhidao.connectivity.adapters.memory import MemoryNetwork
from zhidao.connectivity.service.location import Location
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.ids import PartyId
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import NS, Utc
from zhidao.node.api import camara
from zhidao.node.api.application import application
from zhidao.node.http.authentication import Authenticator
from zhidao.node.operations.metrics import Metrics
from zhidao.node.operations.signing_permit import SigningPermit
from zhidao.node.operations.write_gate import WriteGate
from zhidao.node.security.http_signatures import Message, content_digest, parse_signature

NOW = Utc.parse("2026-03-01T08:00:00Z")
ADMIN = Actor(PartyId("node"), Role.ADMIN)
KEY = SoftwareKey(Algorithm.ED25519, b"k" * 32)
PATH = "/location-retrieval/v0.5/retrieve"
JSON = {"content-type": "application/json"}


class Front:
    """A node's front with the two CAMARA APIs behind it."""

    def __init__(self, *, requests_per_second: int = 0) -> None:
        clock = HandClock(NOW)
        self.world = World()
        self.gate = self.world.gate
        app = application(
            [camara.routes(Location(MemoryNetwork(), clock, bench().questions))],
            authenticator=Authenticator(self.gate),
            metrics=Metrics(),
            randomness=SeededRandomness(2),
            body_bytes_max=1000,
            requests_per_second=requests_per_second,
            refusals_per_second=0,
            workers=ThreadPoolExecutor(1),
            writes=WriteGate(lambda: False, SigningPermit(), lambda: 0.0),
        )
        self.client: TestClient[Any] = TestClient(app)  # type: ignore[arg-type]

    async def token(self) -> str:
        text = await self.world.tokens.make(
            ADMIN, party=PartyId("bank"), role=Role.PARTY, label="", key=KEY.public.multikey
        )
        await self.world.tokens.agree(Actor(ADMIN.party, Role.OPERATOR), text.split("_")[1])
        return text


def camara_form(answer: Any) -> tuple[int, str]:
    """Status and code of a refusal, which has CAMARA's three members and no other."""
    found = answer.json()
    assert set(found) == {"status", "code", "message"}
    assert found["status"] == answer.status_code
    assert answer.headers["content-type"] == "application/json"
    return answer.status_code, found["code"]


@pytest.mark.parametrize("path", camara.PATHS)
def test_what_no_camara_route_sees_is_refused_in_its_form(path: str) -> None:
    front = Front(requests_per_second=1)
    assert camara_form(front.client.get(f"{path}none")) == (404, "NOT_FOUND")
    answers = [front.client.get(f"{path}none") for _ in range(4)]
    assert camara_form(answers[-1]) == (429, "TOO_MANY_REQUESTS")
    assert answers[-1].headers.get("x-correlator") is None


def test_a_wrong_method_names_the_right_one_in_either_form() -> None:
    wrong = Front().client.get(PATH, headers={"x-correlator": "c-1"})
    assert camara_form(wrong) == (405, "METHOD_NOT_ALLOWED")
    assert "POST" in wrong.headers["allow"]
    assert wrong.headers["x-correlator"] == "c-1"
    assert Front().client.options(PATH).headers["allow"]


async def test_a_body_is_refused_in_camaras_form_and_only_to_callers() -> None:
    front = Front()
    stranger = front.client.post(PATH, content=b"x" * 2000, headers=JSON)
    assert camara_form(stranger) == (401, "UNAUTHENTICATED")
    caller = JSON | {"authorization": f"Bearer {await front.token()}"}
    large = front.client.post(PATH, content=b" " * 2000, headers=caller)
    assert camara_form(large) == (413, "CONTENT_TOO_LARGE")
    plain = front.client.post(PATH, content=b"{}", headers=caller | {"content-type": "text/plain"})
    assert camara_form(plain) == (415, "UNSUPPORTED_MEDIA_TYPE")
    twice = front.client.post(PATH, content=b'{"maxAge":1,"maxAge":1}', headers=caller)
    assert camara_form(twice) == (400, "INVALID_ARGUMENT")


def test_other_paths_keep_the_form_of_this_node() -> None:
    answer = Front().client.get("/v1/none")
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "not_found"


async def signed(front: Front, body: bytes, *, method: str = "POST") -> dict[str, str]:
    """The headers of a request that KEY signs."""
    identifier = (await front.token()).split("_")[1]
    digest = content_digest(body)
    covered = '("@method" "@path" "@authority" "content-digest")'
    said = f's={covered};created={NOW.unix_ns // NS};keyid="{identifier}"'
    draft = parse_signature(said, "s=:AAAA:")
    fields = {"content-digest": [digest]}
    message = Message(method, "http", "testserver.local", PATH, "", fields)
    mark = base64.b64encode(KEY.sign(draft.base(message))).decode()
    return JSON | {
        "content-digest": digest,
        "signature-input": said,
        "signature": f"s=:{mark}:",
    }


async def test_a_signature_is_met_before_the_body_and_held_against_it_after() -> None:
    front = Front()
    body = b'{"device":{"phoneNumber":"+491234567"}}'
    headers = await signed(front, body)
    changed = front.client.post(PATH, content=body + b" ", headers=headers)
    assert camara_form(changed) == (401, "UNAUTHENTICATED")
    assert "Content-Digest" in changed.json()["message"]
    # The changed body did not use the signature up; the right one does.
    assert front.client.post(PATH, content=body, headers=headers).status_code not in (400, 401)
    again = front.client.post(PATH, content=b"x" * 2000, headers=headers)
    assert "used before" in again.json()["message"]
