from __future__ import annotations

import json

import pytest
from tests.trust.attacks.test_credentials import (
    BY_WEB,
    LIST,
    NOW,
    REVOCABLE,
    TOKEN,
    VERIFIER,
    WEB,
    WEB_DOCUMENT,
    code,
    listed,
)

from zhidao.core.errors import Refused, Unavailable
from zhidao.trust.adapters.evidence.http_evidence import HttpEvidence
from zhidao.trust.service.credentials.gathering import gather, needs_of


@pytest.mark.parametrize(
    "url",
    ["http://example.com/", "https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1/x", "file:///x",
     "https://user@example.com/", "https://169.254.1.1/", "https://localhost/", "https://0.0.0.0/"],
)  # fmt: skip
async def test_only_public_https_is_read(url: str) -> None:
    fetcher = HttpEvidence()
    try:
        with pytest.raises(Refused) as refusal:
            await fetcher.read(url)
        assert refusal.value.code == "egress_refused"
        with pytest.raises(Unavailable):
            await fetcher.texts("example.com")
    finally:
        await fetcher.close()


class _Pages:
    def __init__(self, pages: dict[str, object]) -> None:
        self._pages = pages
        self.asked: list[str] = []

    async def read(self, url: str) -> bytes:
        self.asked.append(url)
        if url not in self._pages:
            raise Unavailable("no such page")
        return json.dumps(self._pages[url]).encode()

    async def texts(self, domain: str) -> tuple[str, ...]:
        raise Unavailable(domain)


class _Now:
    def now(self):
        return NOW


async def test_what_a_file_names_is_asked_for_once_and_then_judged() -> None:
    document = "https://issuer.example/.well-known/did.json"
    pages = _Pages({LIST: listed(7), document: WEB_DOCUMENT})
    evidence = await gather(json.dumps(REVOCABLE).encode(), pages, _Now())
    assert code(REVOCABLE, evidence) == "revoked"
    evidence = await gather(json.dumps(BY_WEB).encode(), pages, _Now())
    assert code(BY_WEB, evidence) == "ok"
    assert pages.asked == [LIST, document]
    nothing = await gather(json.dumps(REVOCABLE).encode(), _Pages({}), _Now())
    assert code(REVOCABLE, nothing) == "status_unavailable"


def test_a_file_that_cannot_be_read_names_nothing() -> None:
    for data in (b"", b"[", b"~", b"\xff~", TOKEN.encode()):
        assert not needs_of(data).dids
    assert needs_of(json.dumps(BY_WEB).encode()).dids == {WEB}
    assert VERIFIER.verify(b"", NOW).code == "malformed_input"
