"""A mirror's routes, as a client of C2SP tlog-mirror meets them."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator

import httpx
import pytest
from litestar import Litestar
from tests.trust.service.witness.test_mirror_adding import Brought, mirror
from tests.trust.watch_bench import ORIGIN

from zhidao.node.api.trust.mirror import handlers
from zhidao.node.http.problems import HANDLERS
from zhidao.trust.service.witness.peers import origin_hash
from zhidao.trust.wire.log.mirror import Upload, encode_upload
from zhidao.trust.wire.log.note import decode_lines, decode_note

__all__ = ["mirror"]
ADD = "/witness/add-entries"
BYTES = {"content-type": "application/octet-stream"}


@pytest.fixture
async def client(mirror: Brought) -> AsyncIterator[httpx.AsyncClient]:
    app = Litestar(handlers(mirror), exception_handlers=HANDLERS)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://node") as client:
        yield client


async def test_entries_are_brought_in_two_requests_and_served(
    mirror: Brought,
    client: httpx.AsyncClient,
) -> None:
    size = await mirror.grow(400)
    asked = await client.post(ADD, content=encode_upload(Upload(ORIGIN, 0, 0, b""), []))
    assert (asked.status_code, asked.text) == (409, "400\n0\n\n")
    assert asked.headers["content-type"].startswith("text/x.tlog.mirror-info")
    upload, packages = await mirror.packages(0, size)
    part = await client.post(ADD, content=encode_upload(upload, packages[:1]), headers=BYTES)
    assert (part.status_code, part.text) == (202, "400\n256\n\n")
    assert part.headers["accept-encoding"] == "gzip"
    upload, packages = await mirror.packages(256, size)
    body = gzip.compress(encode_upload(upload, packages))
    done = await client.post(ADD, content=body, headers=BYTES | {"content-encoding": "gzip"})
    assert done.status_code == 200
    [line] = decode_lines(done.content)
    assert line.name == "m.example"
    place = f"/witness/mirror/{origin_hash(ORIGIN)}"
    served = decode_note((await client.get(f"{place}/checkpoint")).content)
    assert line.name in {each.name for each in served.signatures}
    assert (await client.get(f"{place}/tile/entries/001.p/144")).status_code == 200


async def test_a_mirror_answers_as_the_protocol_says(
    mirror: Brought,
    client: httpx.AsyncClient,
) -> None:
    size = await mirror.grow(10)
    upload, [package] = await mirror.packages(0, size)
    unknown = encode_upload(Upload("other.example", 0, 0, b""), [])
    for body, status in (
        (unknown, 404),
        (b"", 400),
        (encode_upload(upload, [])[:-1], 400),
        (encode_upload(upload, [package])[:-1], 400),
        (encode_upload(upload, [package]).replace(b"leaf 3", b"leaf 4"), 422),
        (encode_upload(upload, [package]), 200),
    ):
        answer = await client.post(ADD, content=body, headers=BYTES)
        assert answer.status_code == status, answer.text
