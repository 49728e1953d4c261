from __future__ import annotations

import json

import pytest

from zhidao.core.ambient import HandClock
from zhidao.core.errors import Unavailable
from zhidao.core.timescale import Utc
from zhidao.trust.service.credentials.gathering import gather
from zhidao.trust.wire.credentials.status_list import ENTRY


class Asked:
    """Implements `Fetcher`; nobody answers."""

    def __init__(self) -> None:
        self.urls: list[str] = []

    async def read(self, url: str) -> bytes:
        self.urls.append(url)
        raise Unavailable("nobody answers")

    async def texts(self, domain: str) -> tuple[str, ...]:
        raise Unavailable(f"nobody answers for {domain}")


@pytest.mark.bound("trust.service.credentials.gathering._NAMES_MAX")
@pytest.mark.parametrize(("named", "asked"), [(16, 16), (17, 16)])
async def test_a_file_makes_a_node_ask_for_sixteen_lists_and_no_more(
    named: int, asked: int
) -> None:
    statuses = [
        {
            "type": ENTRY,
            "statusPurpose": "revocation",
            "statusListIndex": "1",
            "statusListCredential": f"https://a.example/{number}",
        }
        for number in range(named)
    ]
    document = {"issuer": "did:key:z6Mk", "credentialStatus": statuses}
    fetcher = Asked()
    found = await gather(
        json.dumps(document).encode(), fetcher, HandClock(Utc.parse("2026-01-01T00:00:00Z"))
    )
    assert len([url for url in fetcher.urls if url.startswith("https://a.example/")]) == asked
    assert not found.lists
