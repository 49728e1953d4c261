"""systemd units of one machine: etcd, Patroni with its PostgreSQL, the bus, the node."""

from __future__ import annotations

from typing import Final

from zhidao.node.availability.machines import Machine
from zhidao.node.availability.plan import Plan

_CLOSED: Final = """\
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
ProtectControlGroups=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
PrivateDevices=yes
PrivateTmp=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
"""
_UNIT: Final = """\
# Made by zhidao ha plan.
[Unit]
Description={what}
After=network-online.target time-set.target{after}
Wants=network-online.target
StartLimitIntervalSec=0

[Service]
Type={type}
ExecStart={command}
User={user}
Restart=always
RestartSec={pause}
{more}ReadWritePaths={state}
{closed}
[Install]
WantedBy=multi-user.target
"""


def machine_units(plan: Plan, machine: Machine) -> dict[str, bytes]:
    """Units by their file's name."""
    root, state = plan.root(machine), plan.state(machine)
    programs, users = plan.programs, plan.users
    units = {
        "zhidao-ha-etcd": _unit(
            "etcd: who leads, agreed by three machines",
            f"{programs.etcd} --config-file {root}/etcd/etcd.yaml",
            users.etcd,
            f"{state}/etcd",
            more="LimitNOFILE=65536\n",
        ),
        "zhidao-ha-patroni": _unit(
            "Patroni with the PostgreSQL of this machine",
            f"{programs.patroni} {root}/patroni/patroni.yaml",
            users.postgres,
            f"{state}/postgres",
            after=" zhidao-ha-etcd.service",
            # Patroni ends its server in order; what does not end by then is killed together.
            more="KillMode=process\nTimeoutStopSec=60\nOOMScoreAdjust=-500\n",
        ),
        "zhidao-ha-bus": _unit(
            "NATS, one of three",
            f"{programs.nats} -c {root}/bus/nats.conf",
            users.node,
            f"{state}/bus",
            more="LimitNOFILE=65536\n",
        ),
        "zhidao-ha-node": _unit(
            "Zhidao node, one of three processes",
            f"{programs.zhidao} serve --config {root}/node/zhidao.toml",
            users.node,
            f"{state}/node",
            kind="notify",
            after=" zhidao-ha-patroni.service zhidao-ha-bus.service",
            more="TimeoutStartSec=300\nTimeoutStopSec=45\nKillMode=mixed\nWatchdogSec=150\n"
            "UMask=0077\nLimitNOFILE=16384\n",
        ),
    }
    return {f"{name}.service": text for name, text in units.items()}


def _unit(
    what: str,
    command: str,
    user: str,
    state: str,
    *,
    kind: str = "simple",
    after: str = "",
    more: str = "",
) -> bytes:
    text = _UNIT.format(
        what=what,
        command=command,
        user=user,
        state=state,
        type=kind,
        after=after,
        more=more,
        closed=_CLOSED,
        pause=2,
    )
    return text.encode()
