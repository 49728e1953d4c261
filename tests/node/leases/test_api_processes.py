"""Processes that answer on one port beside the one that writes: what they read, and what not."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from tests.node.leases.books_bench import Books, finished_lot, open_books
from tests.node.leases.processes_bench import Process, Rig, until

pytestmark = [pytest.mark.service]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


async def ask(url: str, method: str, path: str, token: str = "", **more: Any) -> httpx.Response:
    headers = bearer(token)
    async with httpx.AsyncClient(base_url=url, timeout=20) as http:
        return await http.request(method, path, headers=headers, **more)


@pytest.mark.slow
async def test_a_process_without_leases_reads_by_itself_and_asks_for_the_rest(
    tmp_path: Path, empty_database_url: str
):
    async with Rig(tmp_path, empty_database_url) as rig:
        holder = await rig.start()
        books = await open_books(rig, holder.url)
        lot = await finished_lot(holder.url, books)
        reader = await rig.start("--roles", "api,page", ZHIDAO_KEYS_PASSPHRASE_FILE="/nowhere")
        told = await ask(holder.url, "GET", lot, books.maker)
        await until_read_here(reader, holder, lot, books.maker)
        here = await ask(reader.url, "GET", lot, books.maker)
        assert (here.status_code, here.json()) == (200, told.json())
        assert (await ask(reader.url, "GET", "/log/checkpoint")).status_code == 200
        assert (await ask(reader.url, "GET", "/")).status_code == 200
        # What it cannot decide: others' 404, nobody's 401, an auditor's look, whatever writes.
        holder.send(signal.SIGSTOP)
        try:
            for path, token in ((lot, books.bank), (lot, ""), ("/v1/parties", books.maker)):
                with pytest.raises(httpx.ReadTimeout):
                    async with httpx.AsyncClient(base_url=reader.url, timeout=1) as http:
                        await http.get(path, headers=bearer(token))
        finally:
            holder.send(signal.SIGCONT)
        assert (await ask(reader.url, "GET", lot, books.bank)).status_code == 404
        assert (await ask(reader.url, "GET", lot)).status_code == 401
        # A look of an auditor is noted by the holder, wherever it was asked for.
        auditor = await token_of(holder.url, books, "auditor")
        assert (await ask(reader.url, "GET", lot, auditor)).status_code == 200
        await until(lambda: looks(empty_database_url) == 1, 10)
        # Whose token is withdrawn at the holder is out here with the next request.
        named = books.maker.split("_")[1]
        async with httpx.AsyncClient(base_url=holder.url, headers=books.admin) as http:
            assert (await http.delete(f"/v1/tokens/{named}")).status_code < 300
        assert (await ask(reader.url, "GET", lot, books.maker)).status_code == 401


async def token_of(url: str, books: Books, role: str) -> str:
    async with httpx.AsyncClient(base_url=url, headers=books.admin, timeout=20) as http:
        made = await http.post("/v1/tokens", json={"party": "corridor", "role": role})
    assert made.status_code == 201, made.text
    return str(made.json()["token"])


def looks(database_url: str) -> int:
    """How many looks of auditors were noted."""
    with psycopg.connect(database_url) as link:
        rows = link.execute("select count(*) from node.event where aggregate like 'read/%'")
        return int(rows.fetchall()[0][0])


@pytest.mark.long
async def test_one_supervisor_starts_further_processes_on_its_port_and_starts_them_again(
    tmp_path: Path, empty_database_url: str
):
    async with Rig(tmp_path, empty_database_url) as rig:
        node = await rig.start(ZHIDAO_NODE_PROCESSES_API="2")
        books = await open_books(rig, node.url)
        lot = await finished_lot(node.url, books)
        await until(lambda: len(api_processes(node)) == 2)
        # A lot of connections, each new: every process answers some, all the same.
        for _ in range(24):
            assert (await ask(node.url, "GET", lot, books.maker)).status_code == 200
        await until_many_read(node, lot, books.maker)
        first = api_processes(node)[0]
        os.kill(first, signal.SIGKILL)
        await until(lambda: first not in api_processes(node) and len(api_processes(node)) == 2)
        await rig.stop(node)
        await until(lambda: not api_processes(node), 10)


def api_processes(node: Process) -> list[int]:
    """The processes of the roles api and page that this one started."""
    found = []
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            words = (entry / "cmdline").read_bytes()
            told = (entry / "environ").read_bytes().split(b"\0")
            wanted = (f"ZHIDAO_HTTP_PORT={node.port}".encode(), b"ZHIDAO_NODE_ROLES=api,page")
            if b"zhidao.cli\0serve" in words and all(each in told for each in wanted):
                found.append(int(entry.name))
    return sorted(found)


async def until_many_read(node: Process, lot: str, token: str) -> None:
    """Waits until the port answers while the process that writes stands still."""
    node.send(signal.SIGSTOP)
    try:
        async with asyncio.timeout(40):
            answered = 0
            while answered < 5:
                with contextlib.suppress(httpx.TransportError):
                    async with httpx.AsyncClient(base_url=node.url, timeout=0.5) as http:
                        answer = await http.get(lot, headers=bearer(token))
                        answered += answer.status_code == 200
    finally:
        node.send(signal.SIGCONT)


async def until_read_here(reader: Process, holder: Process, lot: str, token: str) -> None:
    """Waits until a lot is read at a process whose holder answers nothing."""
    holder.send(signal.SIGSTOP)
    try:
        async with asyncio.timeout(20), httpx.AsyncClient(base_url=reader.url, timeout=1) as http:
            while True:
                try:
                    answer = await http.get(lot, headers=bearer(token))
                except httpx.ReadTimeout:
                    continue
                if answer.status_code == 200:
                    return
                await asyncio.sleep(0.05)
    finally:
        holder.send(signal.SIGCONT)
