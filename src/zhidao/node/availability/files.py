"""The files of each machine: settings of etcd, Patroni, NATS and the node, and what makes ready.

Names of settings: etcd 3.5 (its --config-file), Patroni 4.1 and 4.0 (its YAML), nats-server 2.10
and later, PostgreSQL 17. Each was tried by running what is written here.
"""

from __future__ import annotations

import ipaddress
import json
from typing import Any, Final

from zhidao.node.availability.machines import Machine
from zhidao.node.availability.plan import (
    BUS_USER,
    DATABASE,
    ROLE,
    SCOPE,
    Plan,
    Secrets,
    bus_urls,
    database_url,
    scram_verifier,
)
from zhidao.node.availability.texts import yaml_text

# Patroni takes no less than 20 s, and wants loop_wait + 2 x retry_timeout within it.
TTL_S: Final = 20
LOOP_WAIT_S: Final = 5
RETRY_TIMEOUT_S: Final = 5
HEARTBEAT_MS: Final = 200
ELECTION_MS: Final = 2000
# A standby or caller that vanished without a word holds commits no longer than this.
_SILENT_S: Final = 10
_PAYLOAD_BYTES: Final = 8 * 1024 * 1024
_MADE: Final = "Made by zhidao ha plan."


def machine_files(plan: Plan, secrets: Secrets, machine: Machine, salt: bytes) -> dict[str, bytes]:
    """Files by their path below the machine's folder, certificates and units apart."""
    return {
        "etcd/etcd.yaml": yaml_text(_etcd(plan, secrets, machine), _MADE),
        "patroni/patroni.yaml": yaml_text(_patroni(plan, secrets, machine), _MADE),
        "patroni/first-database": _first_database(plan, machine),
        "patroni/first-database.sql": _first_rows(secrets, salt),
        "bus/nats.conf": json.dumps(_bus(plan, secrets, machine), indent=1).encode() + b"\n",
        "node/zhidao.toml": _node(plan, secrets, machine),
        "node/passphrase": secrets.passphrase.encode() + b"\n",
        "prepare": _prepare(plan, machine),
    }


def _certificates(plan: Plan, machine: Machine, part: str) -> tuple[str, str, str]:
    folder = plan.root(machine) / part
    return (
        str(folder / "certificate.pem"),
        str(folder / "key.pem"),
        str(folder / "authority.pem"),
    )


def _etcd(plan: Plan, secrets: Secrets, machine: Machine) -> dict[str, Any]:
    certificate, key, authority = _certificates(plan, machine, "etcd")
    peers = [f"{each.name}=https://{each.host}:{each.ports.etcd_peer}" for each in plan.machines]
    security = {
        "cert-file": certificate,
        "key-file": key,
        "trusted-ca-file": authority,
        "client-cert-auth": True,
    }
    return {
        "name": machine.name,
        "data-dir": str(plan.state(machine) / "etcd"),
        "listen-client-urls": f"https://{machine.bound}:{machine.ports.etcd_client}",
        "advertise-client-urls": f"https://{machine.host}:{machine.ports.etcd_client}",
        "listen-peer-urls": f"https://{machine.bound}:{machine.ports.etcd_peer}",
        "initial-advertise-peer-urls": f"https://{machine.host}:{machine.ports.etcd_peer}",
        # Whether it has a quorum, and figures; without a certificate, so for this machine alone.
        "listen-metrics-urls": _etcd_health(machine),
        "initial-cluster": ",".join(peers),
        "initial-cluster-state": "new",
        "initial-cluster-token": secrets.cluster_token,
        "heartbeat-interval": HEARTBEAT_MS,
        "election-timeout": ELECTION_MS,
        "auto-compaction-mode": "periodic",
        "auto-compaction-retention": "1h",
        "client-transport-security": security,
        "peer-transport-security": security,
    }


def _etcd_health(machine: Machine) -> str:
    return f"http://{machine.own}:{machine.ports.etcd_health}"


def _patroni(plan: Plan, secrets: Secrets, machine: Machine) -> dict[str, Any]:
    certificate, key, authority = _certificates(plan, machine, "patroni")
    shared = {"cacert": authority, "cert": certificate, "key": key}
    checked = {"sslmode": "verify-full", "sslrootcert": authority}
    return {
        "scope": SCOPE,
        "namespace": "/zhidao/",
        "name": machine.name,
        "restapi": {
            "listen": f"{machine.bound}:{machine.ports.patroni}",
            "connect_address": f"{machine.host}:{machine.ports.patroni}",
            "certfile": certificate,
            "keyfile": key,
            "cafile": authority,
            # Whoever reads shows none; whoever acts shows one, and the password.
            "verify_client": "optional",
            "authentication": {"username": "patroni", "password": secrets.patroni},
        },
        "ctl": {"cacert": authority, "certfile": certificate, "keyfile": key},
        "etcd3": {
            "hosts": [f"{each.host}:{each.ports.etcd_client}" for each in plan.machines],
            "protocol": "https",
            **shared,
        },
        "bootstrap": {
            "dcs": _rules(),
            "initdb": [{"encoding": "UTF8"}, {"locale": "C.UTF-8"}, "data-checksums"],
            "post_bootstrap": f"/bin/sh {plan.root(machine) / 'patroni' / 'first-database'}",
        },
        "postgresql": {
            "listen": f"{machine.bound}:{machine.ports.database}",
            "connect_address": f"{machine.host}:{machine.ports.database}",
            # Patroni puts a damaged one aside by its name, so the folder above is its user's.
            "data_dir": str(plan.state(machine) / "postgres" / "data"),
            "bin_dir": plan.programs.postgres,
            "pgpass": str(plan.state(machine) / "postgres" / "run" / "pgpass"),
            "use_unix_socket": True,
            # A new standby begins at once, not after the five minutes of a checkpoint that spares.
            "basebackup": [{"checkpoint": "fast"}],
            "authentication": {
                "superuser": {"username": "postgres", "password": secrets.superuser, **checked},
                "replication": {
                    "username": "replicator",
                    "password": secrets.replication,
                    **checked,
                },
            },
            "parameters": {
                "unix_socket_directories": str(plan.state(machine) / "postgres" / "run"),
                "ssl": "on",
                "ssl_cert_file": certificate,
                "ssl_key_file": key,
                "ssl_ca_file": authority,
            },
            "pg_hba": [
                "local all all scram-sha-256",
                *(
                    f"hostssl {who} {_from(each)} scram-sha-256"
                    for each in plan.machines
                    for who in (f"{DATABASE} {ROLE}", "replication replicator", "all postgres")
                ),
            ],
        },
    }


def _rules() -> dict[str, Any]:
    """What the cluster agrees on, kept in etcd from its first start on."""
    return {
        "ttl": TTL_S,
        "loop_wait": LOOP_WAIT_S,
        "retry_timeout": RETRY_TIMEOUT_S,
        "maximum_lag_on_failover": 1_048_576,
        "synchronous_mode": True,
        "synchronous_node_count": 1,
        # Without etcd the leader goes on while it reaches every member by itself.
        "failsafe_mode": True,
        "postgresql": {
            "use_pg_rewind": True,
            "use_slots": True,
            "parameters": {
                "password_encryption": "scram-sha-256",
                "max_connections": 100,
                "wal_keep_size": "512MB",
                "wal_log_hints": "on",
                "wal_sender_timeout": f"{_SILENT_S}s",
                "wal_receiver_timeout": f"{_SILENT_S}s",
                # Commits wait for the standby after a restart, and it tries every 5 s by default.
                "wal_retrieve_retry_interval": "500ms",
            },
        },
    }


def _from(machine: Machine) -> str:
    """A machine in pg_hba.conf."""
    try:
        ip = ipaddress.ip_address(machine.address)
    except ValueError:
        return machine.address
    return f"{ip}/{ip.max_prefixlen}"


def _first_database(plan: Plan, machine: Machine) -> bytes:
    script = (
        "#!/bin/sh\n"
        f"# {_MADE} Patroni runs it once, when the cluster is born; $1: how to connect.\n"
        f'exec {plan.programs.postgres}/psql -X -q -v ON_ERROR_STOP=1 -d "$1" '
        f"-f {plan.root(machine) / 'patroni' / 'first-database.sql'}\n"
    )
    return script.encode()


def _first_rows(secrets: Secrets, salt: bytes) -> bytes:
    verifier = scram_verifier(secrets.node, salt)
    statements = (
        f"-- {_MADE} The node sees who copies by pg_monitor, and nothing else of others.\n"
        f"create role {ROLE} login password '{verifier}';\n"
        f"grant pg_monitor to {ROLE};\n"
        f"create database {DATABASE} owner {ROLE};\n"
    )
    return statements.encode()


def _bus(plan: Plan, secrets: Secrets, machine: Machine) -> dict[str, Any]:
    certificate, key, authority = _certificates(plan, machine, "bus")
    files = {"cert_file": certificate, "key_file": key, "ca_file": authority}
    routes = [
        f"tls://cluster:{secrets.bus_cluster}@{each.host}:{each.ports.bus_cluster}"
        for each in plan.machines
        if each is not machine
    ]
    return {
        "server_name": machine.name,
        "listen": f"{machine.bound}:{machine.ports.bus}",
        "client_advertise": f"{machine.host}:{machine.ports.bus}",
        "max_payload": _PAYLOAD_BYTES,
        "tls": files,
        "jetstream": {"store_dir": str(plan.state(machine) / "bus")},
        "authorization": {
            "users": [
                {
                    "user": BUS_USER,
                    "password": secrets.bus,
                    "permissions": {
                        "publish": ["zhidao.>", "$JS.API.>", "$JS.ACK.>"],
                        "subscribe": ["_INBOX.>"],
                    },
                }
            ]
        },
        "cluster": {
            "name": SCOPE,
            "listen": f"{machine.bound}:{machine.ports.bus_cluster}",
            "advertise": f"{machine.host}:{machine.ports.bus_cluster}",
            "authorization": {"user": "cluster", "password": secrets.bus_cluster, "timeout": 3},
            "tls": {**files, "verify": True, "timeout": 3},
            "routes": routes,
        },
    }


def _node(plan: Plan, secrets: Secrets, machine: Machine) -> bytes:
    # The nearest first, which is asked first.
    near = (machine, *(each for each in plan.machines if each is not machine))
    authority = plan.root(machine) / "node" / "authority.pem"
    scheme = "http" if machine.is_loopback else "https"
    sections: dict[str, dict[str, Any]] = {
        "node": {
            "name": plan.node,
            "data": str(plan.state(machine) / "node"),
            "process_url": f"{scheme}://{machine.host}:{machine.ports.node}",
        },
        "http": {
            "host": machine.bound.strip("[]"),
            "port": machine.ports.node,
            # A standby passes on what it is asked by its own name.
            "names": ",".join(dict.fromkeys(each.address for each in plan.machines)),
            # Nobody but this machine reaches loopback.
            "tls": "off" if machine.is_loopback else "auto",
        },
        "database": {
            "url": database_url(plan.machines, secrets.node, authority, wanted="read-write")
        },
        "bus": {
            "url": bus_urls(near, secrets.bus),
            "authority": str(authority),
            "replicas": len(plan.machines),
        },
        "ha": {
            "standbys": 1,
            "strict": plan.strict,
            "etcd": _etcd_health(machine),
        },
        "devices": {
            "host": machine.bound.strip("[]"),
            "port": machine.ports.node_devices,
        },
        "keys": {"passphrase_file": str(plan.root(machine) / "node" / "passphrase")},
    }
    lines = [f"# {_MADE} It holds passwords: only the node's user may read it."]
    for section, entries in sections.items():
        lines += ["", f"[{section}]"]
        lines += [f"{key} = {json.dumps(value)}" for key, value in entries.items()]
    return "\n".join([*lines, ""]).encode()


def _prepare(plan: Plan, machine: Machine) -> bytes:
    """Gives each part's files to the user it runs as, and makes the folders of what it keeps."""
    users, root, state = plan.users, plan.root(machine), plan.state(machine)
    lines = [
        "#!/bin/sh",
        f"# {_MADE} Run it once as root on {machine.name}; again does no harm.",
        "set -eu",
        "",
        "# part FOLDER USER STATE...: files and folders of one part, for its user alone.",
        "part() {",
        "    folder=$1 user=$2",
        "    shift 2",
        '    id "$user" >/dev/null || { echo "prepare: no user $user here" >&2; exit 1; }',
        '    for kept in "$@"; do mkdir -p "$kept" && chmod 0700 "$kept"; done',
        '    chmod -R u=rwX,go= "$folder"',
        '    [ "$(id -u)" != 0 ] || chown -R "$user": "$folder" "$@"',
        "}",
        "",
        f"mkdir -p {state}",
        # Each part passes through to its own, and lists nothing of another's.
        f"chmod 0711 {plan.places.root} {root} {plan.places.state} {state}",
        f"part {root}/etcd {users.etcd} {state}/etcd",
        f"part {root}/patroni {users.postgres} {state}/postgres {state}/postgres/run",
        f"part {root}/bus {users.node} {state}/bus",
        f"part {root}/node {users.node} {state}/node",
        "",
    ]
    return "\n".join(lines).encode()
