"""Proofs for those who hold the account, and screening that stops when its lists are old."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from zhidao.core.timescale import Utc
from zhidao.finance.adapters import screening_folder
from zhidao.finance.adapters.postgres_places import PostgresTransferPlaces
from zhidao.finance.adapters.screening_folder import FolderLists
from zhidao.finance.domain.naming import transfer_id
from zhidao.finance.service.control.screening import Screening
from zhidao.finance.service.ledger.proofs import Proofs
from zhidao.node.api.finance import proofs as finance_proofs
from zhidao.node.api.finance import screening as finance_screening

CHECK = Path(__file__).resolve().parents[4] / "docs" / "checks" / "ledger_proof_check.py"
DEPOSIT = transfer_id("deposit", "importer-bank", "first")


@pytest.fixture
def prove(world: Any, request: pytest.FixtureRequest, serve: Any) -> Any:
    store = world.durable.store
    real = "postgres" in request.node.name
    places = PostgresTransferPlaces(request.getfixturevalue("database")) if real else store
    return serve(finance_proofs.routes(world.accounts, world.ledger, Proofs(store, places)))


def _checked(view: dict[str, Any], folder: Path) -> subprocess.CompletedProcess[str]:
    file = folder / "proof.json"
    file.write_text(json.dumps(view["proof"], separators=(",", ":")))
    words = [sys.executable, "-I", str(CHECK), str(file), view["anchor"]]
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=20)


async def test_the_holder_gets_proofs_that_another_program_checks(
    world: Any, prove: Any, tmp_path: Path
) -> None:
    path = f"/ledgers/CNY/transfers/{DEPOSIT}/proof"
    for party in ("importer", "importer-bank"):
        answer = await prove("GET", path, party=party)
        assert answer.status_code == 200, answer.text
        done = _checked(answer.json(), tmp_path)
        assert json.loads(done.stdout)["amount"] == 10_000_000, done.stderr
    history = await world.durable.journal.load("ledger/CNY", viewer=None)
    assert answer.json()["anchor"] == history[-1].event.payload["head"]
    for party in ("exporter", "carrier"):
        assert (await prove("GET", path, party=party)).status_code == 404
    assert (await prove("GET", path.replace("CNY", "EUR"))).status_code == 404
    assert (await prove("GET", path.replace("CNY", "YUAN"))).status_code == 400


async def test_a_stated_balance_is_proven_to_its_holder_alone(
    world: Any, facts: Any, prove: Any, tmp_path: Path
) -> None:
    found = await world.accounts.statements(facts.actor("importer"), limit=9)
    path = f"/ledgers/CNY/accounts/{found[0].opened.account}/proof"
    assert (await prove("GET", path, party="importer")).status_code == 404
    assert (await prove("POST", "/ledgers/CNY/balances", party="importer")).status_code == 403
    stated = await prove("POST", "/ledgers/CNY/balances")
    assert stated.status_code == 201, stated.text
    view = (await prove("GET", path, party="importer")).json()
    assert view["anchor"] == stated.json()["root"]
    assert json.loads(_checked(view, tmp_path).stdout)["credits_posted"] == 10_000_000
    assert (await prove("GET", path, party="exporter")).status_code == 404


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(screening_folder, "_LOOK_NS", -1)
    (tmp_path / "csv@2026-04-30.own.csv").write_text("id,name\n1,Jane Doe\n2,王伟\n")
    return tmp_path


@pytest.fixture
def screen(world: Any, folder: Path, serve: Any) -> Any:
    screening = Screening(FolderLists(folder), records=world.records, clock=world.durable.clock)
    return serve(finance_screening.routes(screening))


async def test_an_alert_is_recorded_with_its_lists_and_judged_by_a_person(screen: Any) -> None:
    asked = {"screening": str(uuid4()), "name": "Wang Wei"}
    path = f"/screenings/{asked['screening']}"
    for _ in range(2):
        told = await screen("POST", "/screenings", asked)
        assert (told.status_code, told.json()["state"]) == (201, "alert"), told.text
    assert told.json()["lists"][0]["dated"] == "2026-04-30"
    assert "王伟" in told.json()["hits"][0]["reason"]
    clear = await screen("POST", "/screenings", {"screening": str(uuid4()), "name": "Nurlan Omar"})
    assert clear.json()["state"] == "clear"
    verdict = {"verdict": "cleared", "reason": "another day of birth"}
    assert (await screen("POST", f"{path}/judgement", verdict)).status_code == 403
    for reason in (" ", "\u00a0", "...", " - "):
        bare = verdict | {"reason": reason}
        refused = await screen("POST", f"{path}/judgement", bare, person="aigerim")
        assert (refused.status_code, refused.json()["code"]) == (422, "reason_needed"), repr(reason)
    for _ in range(2):
        judged = await screen("POST", f"{path}/judgement", verdict, person="aigerim")
        assert (judged.json()["state"], judged.json()["judged_by"]) == ("cleared", "aigerim")
    other = {"verdict": "confirmed", "reason": "it is"}
    assert (await screen("POST", f"{path}/judgement", other, person="li")).status_code == 409
    nothing = f"/screenings/{clear.json()['screening']}/judgement"
    assert (await screen("POST", nothing, verdict, person="li")).status_code == 422
    assert (await screen("GET", path, party="exporter-bank")).status_code == 404
    assert (await screen("GET", "/screenings", party="exporter-bank")).json() == []
    assert len((await screen("GET", "/screenings")).json()) == 2
    assert len((await screen("GET", "/screenings", party="x", role="auditor")).json()) == 2


async def test_old_missing_and_broken_lists_answer_nothing(
    world: Any, screen: Any, folder: Path
) -> None:
    asked = {"screening": str(uuid4()), "name": "Wang Wei"}
    broken = folder / "un.xml"
    broken.write_text("<CONSOLIDATED_LIST")
    stopped = await screen("POST", "/screenings", asked)
    assert (stopped.status_code, stopped.json()["code"]) == (503, "lists_unreadable")
    broken.rename(folder / "notes.txt")
    assert (await screen("POST", "/screenings", asked)).json()["code"] == "lists_unreadable"
    (folder / "notes.txt").unlink()
    world.durable.clock.set(Utc.parse("2026-05-09T09:00:00Z"))
    old = await screen("POST", "/screenings", asked)
    assert (old.status_code, old.json()["code"]) == (422, "list_too_old")
    told = (await screen("GET", "/screenings/lists")).json()
    assert "days old" in told["stopped"]
    # A fresh list in the folder is enough: nobody restarts anything.
    (folder / "csv@2026-04-30.own.csv").rename(folder / "csv@2026-05-08.own.csv")
    assert (await screen("POST", "/screenings", asked)).json()["state"] == "alert"
    (folder / "csv@2026-05-08.own.csv").unlink()
    later = asked | {"screening": str(uuid4())}
    assert (await screen("POST", "/screenings", later)).json()["code"] == "no_lists"


@pytest.mark.parametrize(
    "changes",
    [{"screening": "1"}, {"name": ""}, {"name": "x" * 201}, {"unknown": 1}, {"name": "1"}],
)
async def test_a_malformed_screening_is_refused(screen: Any, changes: dict[str, Any]) -> None:
    asked = {"screening": str(uuid4()), "name": "Wang Wei"} | changes
    assert (await screen("POST", "/screenings", asked)).status_code == 400
