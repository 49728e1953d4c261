"""Bounds of the rooms at the ground: core, rules, store, connectivity, devices, exchange."""

from __future__ import annotations

import io

from tests.bounds.case import Case, spaces

from zhidao.connectivity.domain import observation, subscriber_location
from zhidao.connectivity.wire import compact
from zhidao.core import geo, keyfile
from zhidao.core.timescale import Utc
from zhidao.devices.domain import track
from zhidao.devices.wire import chunk
from zhidao.devices.wire.jt808 import frame
from zhidao.exchange.domain import peer
from zhidao.exchange.wire import bundle, envelope
from zhidao.rules import parse_xml, read_schematron
from zhidao.rules.xpath import parser, values
from zhidao.store import age

NOW = Utc.parse("2026-01-01T00:00:00Z")
PLACE = geo.Geodetic(30.0, 104.0, 0.0)
SCHEMATRON = "http://purl.oclc.org/dsdl/schematron"


def chunk_of(total: int, size: int) -> object:
    head = b"\1" + bytes(chunk.WINDOW_ID_BYTES) + (1).to_bytes(4) + total.to_bytes(4)
    return chunk.decode_chunk(head + bytes(chunk.NONCE_BYTES) + b"\0" + size.to_bytes(4))


def included(count: int) -> object:
    parts = '<include href="a"/>' * count
    rules = f'<schema xmlns="{SCHEMATRON}">{parts}</schema>'
    part = f'<pattern xmlns="{SCHEMATRON}"/>'.encode()
    return read_schematron(rules.encode(), include=lambda _: part)


def objection(latitude: int = 0, longitude: int = 0, ahead_ns: int = 0) -> str:
    return track.objection(
        positioned=True,
        latitude_udeg=latitude,
        longitude_udeg=longitude,
        observed_at=NOW.plus_ns(ahead_ns),
        received_at=NOW,
    )


CASES = (
    Case("core.geo._RADIUS_M_MAX", lambda n: geo.Circle(PLACE, n), told="up to 100 km"),
    spaces("core.keyfile._FILE_BYTES_MAX", keyfile.check_vault),
    Case(
        "rules.safe_xml.XML_NODES_MAX",
        lambda n: parse_xml(b"<a>" + b"<b/>   " * (n - 2) + b"</a>"),
    ),
    Case("rules.schematron.source._INCLUDES_MAX", included),
    Case(
        "rules.xpath.parser.DEPTH_MAX",
        lambda n: parser.parse("(" * (n - 1) + "1" + ")" * (n - 1), {}),
    ),
    Case("rules.xpath.values._DIGITS_MAX", lambda n: values.decimal_of("1" * n)),
    Case(
        "store.age._LINE_BYTES_MAX",
        lambda n: age._header_lines(io.BytesIO(age.MAGIC + b"x" * (n - 1) + b"\n")),
    ),
    Case(
        "store.age._HEADER_BYTES_MAX",
        lambda n: age._header_lines(
            io.BytesIO(age.MAGIC + b"x" * (n - len(age.MAGIC) - 7) + b"\n--- a\n")
        ),
        60,
    ),
    Case(
        "connectivity.domain.subscriber_location.RADIUS_M_MAX",
        lambda n: subscriber_location.SubscriberLocation(PLACE, n, NOW, "a", simulated=True),
        told="1 m to 200 km",
    ),
    Case("connectivity.domain.observation._LATITUDE_MAX", lambda n: observation.Point(0, n, 0)),
    Case("connectivity.domain.observation._LONGITUDE_MAX", lambda n: observation.Point(0, 0, n)),
    Case(
        "connectivity.wire.compact.POINTS_MAX",
        lambda n: compact.pack(
            compact.Track(tuple(observation.Point(60 * k, k, k) for k in range(n)), simulated=True)
        ),
    ),
    Case("devices.wire.chunk.CHUNKS_MAX", lambda n: chunk_of(n, 0)),
    Case("devices.wire.chunk.PAYLOAD_BYTES_MAX", lambda n: chunk_of(1, n)),
    Case(
        "devices.wire.jt808.frame.BODY_BYTES_MAX",
        lambda n: frame._encode_header(frame.Header(0x0900, "0" * 20, 0), n),
    ),
    Case(
        "exchange.domain.limits.BUNDLE_ITEMS_MAX",
        lambda n: bundle.decode_bundle(
            bundle.encode_bundle([bundle.Item(bundle.RECEIPT, b"x")] * n)
        ),
    ),
    Case(
        "exchange.domain.peer.URL_CHARACTERS_MAX",
        lambda n: peer.check_url("https://".ljust(n, "a")),
    ),
    Case(
        "exchange.wire.envelope._HEADING_BYTES_MAX",
        lambda n: envelope.decode_envelope(envelope.TAG + b"x" * n + b"\nx\n"),
    ),
)
