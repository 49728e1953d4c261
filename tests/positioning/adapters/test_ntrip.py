"""Against a real caster of our own over sockets on this machine."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import datetime as dt
import ssl
from dataclasses import replace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from zhidao.core.ambient import SeededRandomness
from zhidao.core.errors import MalformedInput, NotFound, Unauthenticated, Unavailable
from zhidao.positioning.adapters.ntrip import RETRY, Caster, NtripClient, StreamLimits
from zhidao.positioning.wire.receivers.ntrip import Login
from zhidao.positioning.wire.rtcm.frame import FrameReader, frame

PAYLOADS = [bytes([n]) * (20 + 13 * n) for n in range(1, 9)]
STREAM = b"".join(map(frame, PAYLOADS))
TABLE = (
    "CAS;caster.example;2101;Test;Nobody;0;CHN;0;0;\r\n"
    "STR;NEAR;Khorgos;RTCM 3.3;1006(10),1077(1),1127(1);2;GPS+BDS;NET;KAZ;44.20;80.40;0;0;gen;none;B;N;9600;\r\n"
    "STR;VRS;Virtual;RTCM 3.3;1077;2;GPS;NET;KAZ;44.20;80.40;1;1;gen;none;B;N;x;\r\n"
    "ENDSOURCETABLE\r\n"
)
HEAD_2 = b"HTTP/1.1 200 OK\r\nNtrip-Version: Ntrip/2.0\r\nContent-Type: gnss/data\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunked(data, size=7):
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)


class CasterServer:
    """Answers each connection with the next of its scripts; keeps what it was asked."""

    def __init__(self, *scripts, hold=False, tls=None):
        self.scripts, self.requests, self.hold = list(scripts), [], hold
        self.tls, self.uploads = tls, b""

    async def __aenter__(self):
        self.server = await asyncio.start_server(self.answer, "127.0.0.1", 0, ssl=self.tls)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.server.close()
        await self.server.wait_closed()

    async def answer(self, reader, writer):
        self.requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
        script = self.scripts.pop(0) if self.scripts else b""
        for at in range(0, len(script), 11):
            writer.write(script[at : at + 11])
            await writer.drain()
        if self.hold:
            with contextlib.suppress(OSError):
                self.uploads += await reader.read(200)
        writer.close()

    def client(self, *, login=None, limits=None, tls=False, authority=None):
        slept = []

        async def sleep(seconds):
            slept.append(seconds)

        caster = Caster(
            "127.0.0.1" if not tls else "localhost", self.port, login, tls=tls, authority=authority
        )
        made = NtripClient(caster, SeededRandomness(1), limits=limits, sleep=sleep)
        made.slept = slept
        return made


async def payloads_of(client, count, mount="NEAR", **more):
    reader, found = FrameReader(), []
    async with contextlib.aclosing(client.stream(mount, **more)) as parts:
        async for part in parts:
            found += reader.feed(part)
            if len(found) >= count:
                break
    return found


async def test_a_stream_of_version_2_is_read_in_any_pieces():
    async with CasterServer(HEAD_2 + chunked(STREAM)) as server:
        found = await payloads_of(server.client(login=Login("ann", "secret")), len(PAYLOADS))
    assert found == PAYLOADS
    asked = server.requests[0]
    assert asked.startswith("GET /NEAR HTTP/1.1\r\n")
    assert "Ntrip-Version: Ntrip/2.0" in asked
    assert base64.b64encode(b"ann:secret").decode() in asked


@pytest.mark.parametrize("end", [b"\r\n", b"\r\n\r\n"])
async def test_a_caster_of_version_1_is_understood(end):
    async with CasterServer(b"ICY 200 OK" + end + STREAM) as server:
        assert await payloads_of(server.client(), len(PAYLOADS)) == PAYLOADS


async def test_a_broken_connection_is_made_again_with_growing_pauses():
    half = HEAD_2 + chunked(STREAM[:150])
    async with CasterServer(
        half, b"", b"HTTP/1.1 503 Busy\r\n\r\n", HEAD_2 + chunked(STREAM)
    ) as server:
        client = server.client()
        found = await payloads_of(client, 10)
    # What the first connection brought whole, then all of the last one.
    assert found[-len(PAYLOADS) :] == PAYLOADS
    assert found[0] == PAYLOADS[0]
    assert client.reconnected == 3
    assert [round(2**n, 1) / 2 <= pause <= 2**n for n, pause in enumerate(client.slept)] == [
        True
    ] * 3


async def test_a_caster_that_never_brings_data_is_given_up():
    async with CasterServer() as server:
        client = server.client(limits=StreamLimits(retry=replace(RETRY, attempts_max=4)))
        with pytest.raises(Unavailable, match="4 attempts"):
            await payloads_of(client, 1)
    assert len(client.slept) == 3


async def test_silence_counts_as_a_broken_connection():
    async with CasterServer(HEAD_2, HEAD_2, hold=True) as server:
        client = server.client(
            limits=StreamLimits(silence_s=0.05, retry=replace(RETRY, attempts_max=2))
        )
        with pytest.raises(Unavailable, match="silent"):
            await payloads_of(client, 1)


async def test_nobody_listening_is_unavailable():
    async with CasterServer() as server:
        port = server.port
    client = NtripClient(Caster("127.0.0.1", port, tls=False), SeededRandomness(1))
    with pytest.raises(Unavailable):
        await client.sources()


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (b"HTTP/1.1 401 Unauthorized\r\n\r\n", Unauthenticated),
        (b"HTTP/1.1 404 Not Found\r\n\r\n", NotFound),
        (b"SOURCETABLE 200 OK\r\n\r\n" + TABLE.encode(), NotFound),
        (b"SSH-2.0-OpenSSH_9.2 is no caster\r\n", MalformedInput),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 20_000, MalformedInput),
        (HEAD_2 + b"zz\r\n", MalformedInput),
        (HEAD_2 + b"3\r\nabcdef", MalformedInput),
        (HEAD_2 + b"fffffff\r\n", MalformedInput),
    ],
)
async def test_refusals_and_nonsense_end_the_stream_at_once(answer, kind):
    async with CasterServer(answer) as server:
        client = server.client()
        with pytest.raises(kind):
            await payloads_of(client, 1)
    assert client.slept == []


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Type: gnss/sourcetable\r\n\r\n",
        b"SOURCETABLE 200 OK\r\nContent-Length: 300\r\n\r\n",
    ],
)
async def test_the_table_of_sources_is_read(head):
    async with CasterServer(head + TABLE.encode()) as server:
        near, virtual = await server.client().sources()
    assert (near.mount, near.systems, near.latitude_deg, near.bits_per_s) == (
        "NEAR",
        "GPS+BDS",
        44.2,
        9600,
    )
    assert not near.wants_gga
    assert virtual.wants_gga
    assert virtual.bits_per_s == 0


async def test_a_cut_table_is_refused():
    async with CasterServer(b"SOURCETABLE 200 OK\r\n\r\n" + TABLE[:150].encode()) as server:
        with pytest.raises(MalformedInput, match="no end"):
            await server.client().sources()


async def test_the_receivers_place_goes_with_the_request_and_then_again():
    async with CasterServer(HEAD_2 + chunked(STREAM), hold=True) as server:
        client = server.client(limits=StreamLimits(gga_s=0.0))
        await payloads_of(client, len(PAYLOADS), gga=lambda: "$GPGGA,here*00\r\n")
        await asyncio.sleep(0.01)
    assert "Ntrip-GGA: $GPGGA,here*00\r\n" in server.requests[0]
    assert server.uploads.startswith(b"$GPGGA,here*00\r\n")


@pytest.mark.parametrize("mount", ["A B", "../x", "A\r\nX: y", "é", "a" * 101])
async def test_a_mount_point_cannot_break_the_request(mount):
    async with CasterServer() as server:
        with pytest.raises(MalformedInput):
            await payloads_of(server.client(), 1, mount=mount)
    assert server.requests == []


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return file


async def test_a_caster_with_tls_is_read_only_where_its_certificate_is_trusted(certificate):
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(certificate)
    async with CasterServer(HEAD_2 + chunked(STREAM), tls=serving) as server:
        with pytest.raises(Unavailable, match="CERTIFICATE_VERIFY_FAILED"):
            await server.client(tls=True).sources()
        trusting = ssl.create_default_context(cafile=str(certificate))
        client = server.client(tls=True, authority=trusting)
        assert await payloads_of(client, len(PAYLOADS)) == PAYLOADS
