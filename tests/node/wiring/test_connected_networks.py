"""From an empty node to the first located SIM: files, a start, one command; by a program of its own."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.connectivity.served import PHONE, PLMN, STATION, SUPI, Core, Operator, device, serving

from zhidao.connectivity.adapters.camara_client import KEPT_S, RETRIEVE
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.devices.wire.jt808.position import Item
from zhidao.node.adapters.ambient import SystemClock, SystemRandomness
from zhidao.simulation.client import Caller
from zhidao.simulation.entrance import agreed_token
from zhidao.simulation.node_process import NodeProcess
from zhidao.simulation.terminal import Identity, TerminalClient, position_report

pytestmark = pytest.mark.service
SECOND = "+77010000002"
SECRET = "a secret of the test"


def written(folder: Path, core: str, operator: str) -> tuple[Path, Path]:
    networks, sims = folder / "networks.toml", folder / "sims.csv"
    networks.write_text(
        f'[corridor]\nkind = "open5gs"\nplmn = "{PLMN}"\namf = "{core}"\nsites = "sites.csv"\n'
        f'[operator]\nkind = "camara"\nplmn = "40101"\napi = "{operator}"\n'
        f'token = "{operator}/token"\nclient_id = "zhidao"\nsecret_file = "operator.secret"\n'
    )
    (folder / "sites.csv").write_text(
        "nci,latitude_deg,longitude_deg,range_m\n1638401,43.35,77.04,5000\n"
    )
    sims.write_text(
        f"phone,network,supi,readers,holder\n{PHONE},corridor,{SUPI},maker,haulier\n"
        f"{SECOND},operator,,maker,\n"
    )
    secret = folder / "operator.secret"
    secret.touch(mode=0o600)
    secret.write_text(SECRET)
    return networks, sims


def named(networks: Path, sims: Path) -> dict[str, str]:
    return {"ZHIDAO_CONNECTIVITY_NETWORKS": str(networks), "ZHIDAO_CONNECTIVITY_SIMS": str(sims)}


def command(token: Path, url: str, *words: str) -> tuple[int, Any]:
    told = subprocess.run(
        [
            *(sys.executable, "-m", "zhidao.cli", "network", *words, "--json"),
            *("--url", url, "--token-file", str(token)),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    try:
        return told.returncode, json.loads(told.stdout)
    except json.JSONDecodeError:
        return told.returncode, told.stdout + told.stderr


async def first_admin(node: NodeProcess, http: httpx.AsyncClient) -> Caller:
    """As whoever opens the link that a new node prints."""
    body = {
        "code": (node.state() or {})["first_admin_code"],
        "name": "aida",
        "password": "a long sentence of a test",
        "organisation": "Corridor authority",
    }
    answer = await http.post("/v1/first-admin", json=body)
    cookies = dict(answer.raise_for_status().cookies)
    http.cookies.clear()
    signed = {
        "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
        "X-CSRF-Token": cookies["zhidao_csrf"],
    }
    return Caller(http, headers=signed)


async def tokens(node: NodeProcess, http: httpx.AsyncClient, folder: Path) -> dict[str, Path]:
    admin = await first_admin(node, http)
    for name in ("maker", "other", "haulier"):
        party = {"party": name, "name": name, "trade_role": "exporter", "country": "CN"}
        await admin.post("/v1/parties", party)
    made = await admin.post("/v1/tokens", {"party": node.name, "role": "operator"})
    found = {"operator": made["token"]}
    for name in ("maker", "other", "haulier"):
        asked = {"party": name, "role": "party"}
        found[name] = await agreed_token(admin, Caller(http, made["token"]), asked)
    files = {}
    for name, token in found.items():
        files[name] = folder / f"{name}.token"
        files[name].touch(mode=0o600)
        files[name].write_text(token)
    return files


async def test_an_empty_node_locates_its_first_sim(tmp_path: Path):
    core = Core({"/ue-info": [device()], "/gnb-info": [STATION]})
    seen = {
        "lastLocationTime": "2026-11-30T10:00:00Z",
        "area": {
            "areaType": "CIRCLE",
            "center": {"latitude": 43.2, "longitude": 76.9},
            "radius": 700,
        },
    }
    token = {"access_token": "t0ken-of-the-test", "token_type": "Bearer", "expires_in": 60}
    operator = Operator({"/token": (200, token), RETRIEVE: (200, seen)})
    with serving(core) as core_url, serving(operator) as operator_url:
        networks, sims = written(tmp_path, core_url, operator_url)
        settings = named(networks, sims) | {
            "ZHIDAO_NODE_DEMO": "false",
            "ZHIDAO_HTTP_REFUSALS_PER_SECOND": "0",
        }
        node = NodeProcess(tmp_path / "n", settings=settings)
        await node.start()
        try:
            async with httpx.AsyncClient(base_url=node.url, timeout=60.0) as http:
                files = await tokens(node, http, tmp_path)
                await _asked(node, http, files, core, operator)
        finally:
            await node.stop()
    log = node.log.read_text(errors="replace")
    assert not any(each in log for each in (SECRET, token["access_token"], SUPI))


async def _asked(
    node: NodeProcess,
    http: httpx.AsyncClient,
    files: dict[str, Path],
    core: Core,
    operator: Operator,
) -> None:
    status, found = command(files["maker"], node.url, "locate", PHONE)
    assert (status, found["presence"]) == (0, "reachable")
    circle = found["circle"]
    assert (circle["latitude_ndeg"], circle["longitude_ndeg"]) == (43_350_000_000, 77_040_000_000)
    assert (circle["network"], circle["simulated"]) == ("corridor", False)
    assert 5_000_000 <= circle["radius_mm"] < 7_000_000
    status, found = command(files["maker"], node.url, "locate", SECOND)
    assert (status, found["circle"]["radius_mm"]) == (0, 700_000)
    # Another party learns no more than that nobody knows the number; only the operator sees networks.
    status, told = command(files["other"], node.url, "locate", PHONE)
    assert (status, "no network that answers" in str(told)) == (1, True)
    assert command(files["maker"], node.url, "status")[0] == 1
    status, states = command(files["operator"], node.url, "status")
    assert status == 0
    assert [(each["name"], each["answers"], each["sims"]) for each in states] == [
        ("corridor", True, 1),
        ("operator", True, 1),
    ]
    bearer = {"Authorization": f"Bearer {files['maker'].read_text()}"}
    asked = {"device": {"phoneNumber": PHONE}}
    retrieved = await http.post("/location-retrieval/v0.5/retrieve", json=asked, headers=bearer)
    assert retrieved.json()["area"]["center"] == {"latitude": 43.35, "longitude": 77.04}
    operator.answers[RETRIEVE] = (403, {"code": "PERMISSION_DENIED"})
    core.lie = _silent
    await asyncio.sleep(KEPT_S + 0.5)
    for phone, code in ((PHONE, 503), (SECOND, 403)):
        asked = {"device": {"phoneNumber": phone}}
        answer = await http.post("/location-retrieval/v0.5/retrieve", json=asked, headers=bearer)
        assert answer.status_code == code, answer.text
        if code == 503:
            assert answer.headers["retry-after"] == "5"
        assert not any(each in answer.text for each in (SUPI, "127.0.0.1", SECRET))
    status, told = command(files["maker"], node.url, "locate", SECOND)
    assert (status, told["circle"]) == (1, None)
    status, states = command(files["operator"], node.url, "status")
    assert (status, [each["answers"] for each in states]) == (3, [False, True])
    _told_to_the_holder(node, files)


def _told_to_the_holder(node: NodeProcess, files: dict[str, Path]) -> None:
    """By the command: who asked about its SIM, and nothing of another's."""
    status, told = command(files["haulier"], node.url, "questions")
    assert status == 0
    assert [tuple(each[name] for name in ("asker", "api", "answer")) for each in told] == [
        ("maker", "location-retrieval", "unavailable"),
        ("maker", "location-retrieval", "located"),
        ("other", "locations", "refused"),
        ("maker", "locations", "located"),
    ]
    assert {each["phone"] for each in told} == {PHONE}
    assert command(files["haulier"], node.url, "questions", "--limit", "1")[1] == told[:1]
    named = ("--phone", PHONE, "--after", told[1]["question"])
    assert command(files["haulier"], node.url, "questions", *named)[1] == told[2:]
    assert command(files["other"], node.url, "questions") == (0, [])
    # Nobody holds the other SIM: what was asked about it is the node's own to read.
    status, told = command(files["operator"], node.url, "questions")
    assert (status, {each["phone"] for each in told}) == (0, {SECOND})
    status, told = command(files["other"], node.url, "questions", "--after", "yesterday")
    assert status == 2


async def _silent(send: Any, _: str) -> None:
    await send({"type": "http.response.start", "status": 500, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def test_a_lorry_is_where_its_own_terminal_s_cell_serves(tmp_path: Path):
    """Over a socket, as a terminal sends it: from a report with a cell to the command's answer."""
    networks, sims = tmp_path / "networks.toml", tmp_path / "sims.csv"
    networks.write_text('[lorries]\nkind = "fleet"\nplmn = "46000"\nsites = "fleet.csv"\n')
    (tmp_path / "fleet.csv").write_text(
        "area,cell,latitude_deg,longitude_deg,range_m\n0x2535,0x1026,43.35,77.04,5000\n"
    )
    sims.write_text(
        f"phone,network,terminal,holder,readers\n{PHONE},lorries,LORRY-7,haulier,maker\n"
    )
    settings = named(networks, sims) | {
        "ZHIDAO_NODE_DEMO": "false",
        "ZHIDAO_HTTP_REFUSALS_PER_SECOND": "0",
    }
    node = NodeProcess(tmp_path / "n", settings=settings)
    await node.start()
    try:
        async with httpx.AsyncClient(base_url=node.url, timeout=60.0) as http:
            files = await tokens(node, http, tmp_path)
            status, told = command(files["haulier"], node.url, "locate", PHONE)
            assert (status, told["why"]) == (1, "its terminal told no cell within a day")
            operator = Caller(http, files["operator"].read_text())
            key = SoftwareKey(Algorithm.ED25519, bytes([7]) * 32)
            about = {"terminal": "LORRY-7", "phone": PHONE, "owner": "haulier", "readers": []}
            await operator.post("/v1/devices/terminals", about | {"key": key.public.multikey})
            port = (await operator.get("/v1/devices/gateway"))["port"]
            token = await _reported(port, key, 0x1026)
            for _ in range(100):
                status, told = command(files["haulier"], node.url, "locate", PHONE)
                if status == 0:
                    break
                await asyncio.sleep(0.1)
            circle = told["circle"]
            assert (circle["latitude_ndeg"], circle["radius_mm"]) == (43_350_000_000, 5_000_000)
            assert (circle["network"], circle["simulated"]) == ("lorries", False)
            status, states = command(files["operator"], node.url, "status")
            assert (status, states[0]["kind"], states[0]["devices"]) == (0, "fleet", 1)
            assert command(files["other"], node.url, "locate", PHONE)[0] == 1
            await _way_judged(tmp_path, files, node)
            # Then a cell of no table: the one before is no answer any more.
            await asyncio.sleep(1.1)
            await _reported(port, key, 0x1027, token)
            for _ in range(100):
                status, told = command(files["maker"], node.url, "locate", PHONE)
                if status == 1:
                    break
                await asyncio.sleep(0.1)
            assert (told["circle"], "whose place this node does not know" in told["why"]) == (
                None,
                True,
            )
    finally:
        await node.stop()


async def _way_judged(folder: Path, files: dict[str, Path], node: NodeProcess) -> None:
    """By the command: a way away from the cell is contradicted, and on it nothing is proven."""
    now = SystemClock().now()
    track = folder / "way.csv"
    for latitude_deg, status, verdict, permille in (
        (43.35, 4, "unknown", 0),
        (43.5, 1, "mismatch", 1000),
    ):
        rows = [f"{now.plus_ns(-n * 10**9)},{latitude_deg},77.04,10" for n in range(4)]
        track.write_text("at,latitude_deg,longitude_deg,bound_m\n" + "\n".join(rows) + "\n")
        ended, told = command(files["maker"], node.url, "track", str(track), PHONE)
        assert (ended, told["verdict"], told["contradicted_permille"]) == (
            *(status, verdict, permille),
        )
        assert told["networks"] == ["lorries"]
    assert "own word" not in told["reasons"][0]
    assert command(files["other"], node.url, "track", str(track), PHONE)[0] == 1
    told = command(files["haulier"], node.url, "questions", "--limit", "3")[1]
    assert [(each["asker"], each["api"], each["answer"]) for each in told] == [
        ("other", "track-checks", "refused"),
        ("maker", "track-checks", "compared"),
        ("maker", "track-checks", "compared"),
    ]


async def _reported(port: int, key: SoftwareKey, cell: int, token: str = "") -> str:
    """A terminal connects and sends a position with a cell; its token once that is acknowledged."""
    line = TerminalClient(
        Identity("LORRY-7", PHONE[1:], key),
        host="127.0.0.1",
        port=port,
        randomness=SystemRandomness(),
        token=token,
    )
    value = bytes.fromhex("01cc0000002535") + cell.to_bytes(4, "big") + b"\x1c"
    try:
        await line.connect()
        report = position_report(
            at=SystemClock().now(), latitude_deg=43.35, longitude_deg=77.04, satellites=14
        )
        await line.send([replace(report, items=(*report.items, Item(0xE1, value)))])
        return line.token
    finally:
        await line.close()


def test_a_wrong_table_stops_the_start_with_its_row(tmp_path: Path):
    networks, sims = written(tmp_path, "http://127.0.0.1:1", "http://127.0.0.1:2")
    (tmp_path / "sites.csv").write_text("nci,latitude_deg,longitude_deg,range_m\n1,2,3,NaN\n")
    data, passphrase = tmp_path / "node", tmp_path / "passphrase"
    passphrase.touch(mode=0o600)
    passphrase.write_text("throw-away keys of a test")
    ended = subprocess.run(
        [sys.executable, "-m", "zhidao.cli", "serve", "--json", "--data", str(data)],
        capture_output=True,
        text=True,
        env=os.environ | named(networks, sims) | {"ZHIDAO_KEYS_PASSPHRASE_FILE": str(passphrase)},
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2
    told = json.loads(ended.stdout)
    assert told["where"] == f"{tmp_path / 'sites.csv'}, line 2"
    assert "range_m is no number" in told["detail"]
    assert not (data / "postgres" / "cluster" / "postmaster.pid").exists()
