"""`zhidao search` at a running node after a whole road: each of the ten kinds by its name."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from uuid import UUID

import pytest
from tests.node.live_node import zhidao
from tests.node.test_running_node import Running, node

from zhidao.finance.domain.naming import uetr
from zhidao.simulation import participants

pytestmark = [pytest.mark.service, pytest.mark.slow, pytest.mark.timeout(600)]
__all__ = ["node"]
ENTRY = Path(__file__).parents[2] / "trade" / "data" / "set_entry.json"


def test_ten_of_ten_kinds_are_found_by_command(node: Running, tmp_path: Path) -> None:
    names = _names(node)
    assert len(names) == 10
    found = {
        kind: {row["kind"] for row in _asked(node, tmp_path, caller, typed)["found"]}
        for kind, (caller, typed) in names.items()
    }
    assert {kind: kind in kinds for kind, kinds in found.items()} == dict.fromkeys(names, True)
    # Whoever may not see them hears what one hears who types nonsense.
    nothing = _said(node, tmp_path, "stranger", "zzz-nowhere")
    assert nothing[0] == 1
    for kind, (_, typed) in names.items():
        if kind != "party":  # which every party may know
            assert _said(node, tmp_path, "stranger", typed) == nothing, kind


def test_a_search_shows_what_it_leads_to(node: Running, tmp_path: Path) -> None:
    done = zhidao("search", participants.TERMINAL.lower(), *_who(node, tmp_path, "carrier"))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].split() == ["kind", "label", "subject", "consignment"]
    assert "terminal" in done.stdout


def _names(node: Running) -> dict[str, tuple[str, str]]:
    """What each kind is called here, as somebody may type it, and who does."""
    consignment = node.get("/v1/roads", "importer").json()["roads"][0]["consignment"]
    titles = node.get("/v1/trust/titles", "importer").json()["titles"]
    deal = node.get("/v1/finance/deals", "importer").json()[0]
    entered = node.get(f"/v1/trade/consignments/{consignment}", "importer").json()
    invoices = [each for each in entered["documents"] if "invoice" in each["kind"]]
    return {
        "consignment": ("importer", consignment.upper()),
        "container": ("importer", participants.CONTAINER[:8].lower()),
        "bill": ("importer", participants.BILL_NUMBER[:6].lower()),
        "title": ("importer", titles[0]["title"][:14]),
        "invoice": ("importer", invoices[0]["number"]),
        "party": ("importer", "weihe"),
        "payment": ("importer", str(uetr(UUID(deal["reserved_transfer"])))[:13]),
        "terminal": ("carrier", participants.TERMINAL.replace("-", " ")),
        "seal": ("carrier", participants.SEAL.lower()),
        "declaration": ("exporter", _declared(node)),
    }


def _declared(node: Running) -> str:
    file = {"name": "entry.json", "content": base64.b64encode(ENTRY.read_bytes()).decode()}
    fields = node.ask("POST", "/v1/trade/entries/import", "exporter", json=file).json()["fields"]
    paper = node.ask(
        "POST",
        "/v1/trade/entries/documents/export_declaration",
        "exporter",
        json={"fields": fields},
    )
    content = base64.b64encode(paper.content).decode()
    body = {"kind": "export_declaration", "content": content, "customs": "customs"}
    lodged = node.ask("POST", "/v1/trade/declarations", "exporter", json=body)
    assert lodged.status_code == 201, lodged.text
    return str(lodged.json()["declaration"])


def _who(node: Running, folder: Path, caller: str) -> tuple[str, ...]:
    token = folder / f"{caller}.token"
    token.touch(mode=0o600)
    token.write_text(node.tokens[caller])
    return ("--url", node.url, "--token-file", str(token))


def _said(node: Running, folder: Path, caller: str, typed: str) -> tuple[int, str]:
    done = zhidao("search", typed, *_who(node, folder, caller))
    return done.returncode, done.stdout


def _asked(node: Running, folder: Path, caller: str, typed: str) -> dict[str, list[dict[str, str]]]:
    done = zhidao("search", typed, *_who(node, folder, caller), "--json")
    assert done.returncode == 0, (typed, done.stdout, done.stderr)
    told: dict[str, list[dict[str, str]]] = json.loads(done.stdout)
    return told
