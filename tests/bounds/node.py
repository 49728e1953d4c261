"""Bounds of the node: routes' forms, signatures of requests, what waits."""

from __future__ import annotations

import msgspec
from tests.bounds.case import Case, file_of_spaces

from zhidao.node import config
from zhidao.node.adapters.keys import export as key_export
from zhidao.node.api.industry import epcis
from zhidao.node.federation import kinds
from zhidao.node.identity import log_rotation
from zhidao.node.security import http_signatures


class Form(msgspec.Struct):
    """A form that asks for nothing."""


def signed_at(created: int) -> http_signatures.Signed:
    return http_signatures.Signed((), "", created, "k", b"")


CASES = (
    file_of_spaces("node.config.FILE_BYTES_MAX", lambda file: config.load(file, {})),
    file_of_spaces("node.adapters.keys.export._BYTES_MAX", key_export._read),
    Case(
        "node.api.industry.epcis.READERS_MAX",
        lambda n: epcis._readers(",".join(f"p{i}" for i in range(n))),
    ),
    Case(
        "node.federation.kinds._BYTES_MAX",
        lambda n: kinds.decode_form(b" " * n, Form),
        60,
    ),
    Case(
        "node.identity.log_rotation.REASON_CHARACTERS_MAX",
        lambda n: log_rotation.check_reason("a" * n),
    ),
    Case(
        "node.security.http_signatures.CLOCK_S_MAX",
        lambda n: http_signatures.check_times(signed_at(10_000), 10_000 + n),
    ),
    Case(
        "node.security.http_signatures.HEADER_CHARACTERS_MAX",
        lambda n: http_signatures.parse_signature("a" * n, "a"),
    ),
)
