"""`zhidao ha`: one node on three machines of which one may be lost: plan it, check it."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from zhidao.node.availability.findings import Finding
    from zhidao.node.availability.plan import Plan

_ROOT: Final = "/etc/zhidao-ha"
_STATE: Final = "/var/lib/zhidao-ha"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the actions of this command."""
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    _add_plan(
        actions.add_parser("plan", help="write the files of three machines, and a check list")
    )
    _add_check(actions.add_parser("check", help="ask the three machines, and say what is wrong"))
    parser.epilog = (
        "On each machine: etcd, Patroni with PostgreSQL, NATS, and a process of the node.\n"
        "examples:\n"
        "  zhidao ha plan --machines a.example.org,b.example.org,c.example.org --output plan\n"
        "  zhidao ha check --plan plan\n"
        "status: 0 written, or nothing is wrong; 1 refused, or something is wrong; 2 bad input;\n"
        "3 the outside world failed, or no machine answers"
    )


def _add_plan(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--machines",
        required=True,
        metavar="A,B,C",
        help="three of [NAME=]ADDRESS[:PORT]; PORT: the first of nine ports in a row",
    )
    parser.add_argument("--output", type=Path, required=True, help="the plan; a new folder")
    parser.add_argument("--node", default="node", help="the node's own party name")
    parser.add_argument(
        "--strict", action="store_true", help="write nothing while no second machine has it"
    )
    parser.add_argument("--root", default=_ROOT, help=f"where each machine has its files ({_ROOT})")
    parser.add_argument("--state", default=_STATE, help=f"where its servers keep theirs ({_STATE})")
    parser.add_argument("--zhidao", help="this program on each machine (as here)")
    parser.add_argument("--nats", help="nats-server on each machine (as here)")
    parser.add_argument("--etcd", help="etcd on each machine (/usr/bin/etcd)")
    parser.add_argument("--patroni", help="patroni there (/opt/patroni/venv/bin/patroni)")
    parser.add_argument(
        "--postgres", help="folder of PostgreSQL's programs (/usr/lib/postgresql/17/bin)"
    )
    parser.add_argument("--etcd-user", help="as whom etcd runs (etcd)")
    parser.add_argument("--postgres-user", help="as whom PostgreSQL and Patroni run (postgres)")
    parser.add_argument("--node-user", help="as whom node and bus run (zhidao)")
    parser.add_argument("--json", action="store_true", help="answer in JSON")
    parser.epilog = (
        "Nothing is sent anywhere and no secret is printed: new passwords, keys and certificates\n"
        "stand in files of mode 0600. A plan is never written over another.\n"
        "examples:\n"
        "  zhidao ha plan --machines 10.0.0.1,10.0.0.2,10.0.0.3 --output plan --node corridor\n"
        "  zhidao ha plan --machines x=db1.example.org,y=db2.example.org,z=db3.example.org \\\n"
        "    --output plan --strict --json\n"
        "  zhidao ha plan --machines 127.0.0.1:7000,127.0.0.1:7010,127.0.0.1:7020 --output trial\n"
        "status: 0 written, 1 refused (the folder exists), 2 bad input, 3 the disk failed"
    )
    parser.set_defaults(run=run_plan)


def _add_check(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--plan", type=Path, required=True, help="the folder that zhidao ha plan wrote"
    )
    parser.add_argument("--json", action="store_true", help="answer in JSON")
    parser.epilog = (
        "Run it on one of the machines: the database lets nobody else in. It only asks.\n"
        "examples:\n"
        "  zhidao ha check --plan plan\n"
        "  zhidao ha check --plan /root/plan --json\n"
        "status: 0 nothing is wrong, 1 something is, 2 no plan there, 3 no machine answers"
    )
    parser.set_defaults(run=run_check)


def run_plan(options: argparse.Namespace) -> int:
    """Writes a plan and says what to do with it."""
    from zhidao.node.library import write_machines

    plan, folder = _plan_of(options), options.output.absolute()
    check_list, files = write_machines(plan, folder)
    if options.json:
        print(
            json.dumps(
                {
                    "folder": str(folder),
                    "check_list": str(check_list),
                    **plan.document(),
                    "files": files,
                },
                ensure_ascii=False,
            )
        )
    else:
        names = ", ".join(each.name for each in plan.machines)
        print(f"{folder}: {len(files)} files for {names}; it holds passwords and keys")
        print(f"next: {check_list}")
    return 0


def run_check(options: argparse.Namespace) -> int:
    """Asks all machines at once and says what is wrong."""
    import logging

    from zhidao.node.availability.findings import findings_of, nobody_answers
    from zhidao.node.library import see_machines

    # What it says of connections that end is told by the findings.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    seen = see_machines(options.plan)
    found = findings_of(seen)
    if options.json:
        told = {"machines": seen.document(), "findings": [each.document() for each in found]}
        print(json.dumps(told, ensure_ascii=False, indent=1))
    else:
        print("\n".join(seen.lines()))
        print("\n".join(_shown(each) for each in found) if found else "nothing is wrong")
    if nobody_answers(seen):
        return 3
    return 1 if found else 0


def _shown(finding: Finding) -> str:
    return f"{finding.code}: {finding.sentence}\n        do: {finding.remedy}"


def _plan_of(options: argparse.Namespace) -> Plan:
    from zhidao.core.ids import party_id
    from zhidao.node.availability.machines import parse_machines
    from zhidao.node.availability.plan import Places, Plan, Programs, Users

    programs = {
        "zhidao": options.zhidao or _own_program(),
        "nats": options.nats or _nats(),
        "etcd": options.etcd,
        "patroni": options.patroni,
        "postgres": options.postgres,
    }
    users = {
        "etcd": options.etcd_user,
        "postgres": options.postgres_user,
        "node": options.node_user,
    }
    return Plan(
        node=str(party_id(options.node)),
        machines=parse_machines(options.machines),
        programs=Programs(**{name: value for name, value in programs.items() if value}),
        places=Places(PurePosixPath(options.root), PurePosixPath(options.state)),
        users=Users(**{name: value for name, value in users.items() if value}),
        strict=options.strict,
    )


def _own_program() -> str:
    beside = Path(sys.executable).with_name("zhidao")
    return str(beside) if os.access(beside, os.X_OK) else "/usr/bin/zhidao"


def _nats() -> str:
    from zhidao.bus.embedded import find_nats_server
    from zhidao.core.errors import Unavailable

    try:
        return str(find_nats_server())
    except Unavailable:
        return "/usr/sbin/nats-server"
