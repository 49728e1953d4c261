"""Reports for whoever sits at the machine: of proof files, of a database, or by a node's API."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from zhidao.core.actor import Actor, Role
from zhidao.core.errors import Refused, Unavailable
from zhidao.core.ids import party_id
from zhidao.insight.service.ports import LogSource
from zhidao.insight.service.reports import Reports
from zhidao.node.adapters.key_export import public_key
from zhidao.node.adapters.log_source import DatabaseLog
from zhidao.node.adapters.proof_log import ProofFiles
from zhidao.node.log_keys import newest_log_key
from zhidao.store.database import Database
from zhidao.trust.wire.trust_list import decode_trust_list

# Whoever holds the files or the data folder may read all that is in them.
_READER: Final = Actor(party_id("reader"), Role.AUDITOR)
_ANSWER_S: Final = 60.0


async def report_of_proofs(
    files: Sequence[bytes], trust: bytes | None, *, as_json: bool = False
) -> bytes:
    """The report of proof files, checked offline; by a trust list if one is given."""
    known = decode_trust_list(trust) if trust is not None else None
    return await _report(ProofFiles(files, known), as_json=as_json)


async def report_of_database(url: str, data: Path, *, as_json: bool = False) -> bytes:
    """The report of a node's whole database; the head is checked against the node's own key."""
    database = await Database.open(url, connections_max=2)
    try:
        key = public_key(data / "keys", f"{newest_log_key(data / 'keys')}.ed25519")
        return await _report(DatabaseLog(database, key), as_json=as_json)
    finally:
        await database.close()


def report_of_node(
    url: str, token: str, *, as_json: bool = False, certificate: Path | None = None
) -> bytes:
    """The report that a node's API gives to this token. Raises Unavailable, Refused."""
    import ssl

    import httpx

    path = "/v1/insight/report" if as_json else "/v1/insight/report.html"
    context = ssl.create_default_context(cafile=str(certificate) if certificate else None)
    try:
        answer = httpx.get(
            url.rstrip("/") + path,
            headers={"Authorization": f"Bearer {token}"},
            timeout=_ANSWER_S,
            verify=context,
        )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Unavailable(f"{url} does not answer: {error}") from error
    if answer.status_code >= 500:
        raise Unavailable(f"{url} answered {answer.status_code}: {answer.text[:200]}")
    if answer.status_code != 200:
        raise Refused(f"{url} answered {answer.status_code}: {answer.text[:200]}")
    return answer.content


async def _report(source: LogSource, *, as_json: bool) -> bytes:
    reports = Reports(source)
    return await (reports.document(_READER) if as_json else reports.page(_READER))
