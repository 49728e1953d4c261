"""What a person does with a plan, in order and in words."""

from __future__ import annotations

from zhidao.node.availability.machines import Machine
from zhidao.node.availability.plan import Plan

_UNITS = "zhidao-ha-etcd zhidao-ha-patroni zhidao-ha-bus zhidao-ha-node"


def check_list(plan: Plan) -> bytes:
    """The check list as text, every command as it is typed."""
    names = [each.name for each in plan.machines]
    first, others = plan.machines[0], plan.machines[1:]
    parts = [
        f"# {plan.node} on {', '.join(names)}: a check list\n",
        "Each step is done on every machine unless it names one, before the next begins.\n",
        _before(plan),
        _files(plan),
        _start(plan, first, others),
        _afterwards(plan, first),
    ]
    return "\n".join(parts).encode()


def _before(plan: Plan) -> str:
    users = plan.users
    return f"""\
## 1. Before

[ ] Debian 13 or alike, clocks set: `timedatectl show -p NTPSynchronized` says yes.
[ ] The machines reach each other on these ports, and nobody else does but on the node's own:
{_ports(plan)}
[ ] Programs. etcd and PostgreSQL 17 of Debian, with neither started by it:
        apt-get install etcd-server postgresql-17 python3-venv
        systemctl disable --now etcd postgresql
[ ] Patroni in an environment that the user {users.postgres} can read (one made from a Python below
    /root cannot be, and Patroni then ends without a word):
        /usr/bin/python3 -m venv {_environment(plan)}
        {_environment(plan)}/bin/pip install 'patroni[etcd3,psycopg3]' 'psycopg[binary]'
        runuser -u {users.postgres} -- {plan.programs.patroni} --version
[ ] Zhidao itself, the same release everywhere: {plan.programs.zhidao} --version
    and NATS: {plan.programs.nats} --version
[ ] These users exist: getent passwd {users.etcd} {users.postgres} {users.node}
"""


def _ports(plan: Plan) -> str:
    lines = []
    for each in plan.machines:
        ports = each.ports
        among = (ports.etcd_client, ports.etcd_peer, ports.database, ports.patroni)
        bus = (ports.bus, ports.bus_cluster)
        shown = ", ".join(str(port) for port in (*among, *bus))
        lines.append(
            f"        {each.name} ({each.address}): {shown}; the node: {ports.node}, "
            f"terminals: {ports.node_devices}"
        )
    return "\n".join(lines)


def _environment(plan: Plan) -> str:
    return plan.programs.patroni.removesuffix("/bin/patroni")


def _files(plan: Plan) -> str:
    copies = "\n".join(
        f"        {each.name}: this plan's folder {each.name}/ becomes {plan.root(each)}/"
        for each in plan.machines
    )
    return f"""\
## 2. Files

[ ] Copy to each machine its own folder and no other, as root, by a way that nobody reads:
{copies}
[ ] Give each part its files (it says so if a user is missing): sh {plan.places.root}/NAME/prepare
[ ] Units: cp {plan.places.root}/NAME/units/*.service /etc/systemd/system/
        systemctl daemon-reload
[ ] Keep the rest of this plan (secrets.json, authority.key.pem, operator/) where you keep keys:
    with it somebody can be any of the machines. `zhidao ha check --plan` needs it, on one of them.
"""


def _start(plan: Plan, first: Machine, others: tuple[Machine, ...]) -> str:
    later = " and ".join(each.name for each in others)
    data = f"{plan.state(first)}/node"
    copied = "\n".join(
        f"        {each.name}: into {plan.state(each)}/node, then sh {plan.root(each)}/prepare"
        for each in others
    )
    return f"""\
## 3. Start

[ ] etcd on all three within a minute: systemctl enable --now zhidao-ha-etcd
[ ] The bus on all three: systemctl enable --now zhidao-ha-bus
[ ] Patroni on {first.name} first: systemctl enable --now zhidao-ha-patroni
    It makes the database. Wait for a leader:
        {_environment(plan)}/bin/patronictl -c {plan.root(first)}/patroni/patroni.yaml list
[ ] Then on {later}: each copies the database from the leader. Wait for one Sync Standby.
[ ] The node on {first.name}: systemctl enable --now zhidao-ha-node
    It makes its keys. Open its page and make the first admin.
[ ] Copy keys, log and tls of {data} from {first.name}, by a way that nobody reads:
{copied}
    Do the same again whenever a party's key is added.
[ ] The node on {later}: systemctl enable --now zhidao-ha-node
    They say that they stand by.
[ ] All of it: zhidao ha check --plan PLAN, on one of the machines. It ends with 0.
[ ] After that, in each etcd.yaml: initial-cluster-state: "existing". A machine that lost its disk
    is added anew (etcdctl member add), never born a second time.
"""


def _afterwards(plan: Plan, first: Machine) -> str:
    strict = (
        "    This plan is strict: while no second machine has the newest writes, the node writes\n"
        "    nothing, and says so by an alarm (replication_degraded)."
        if plan.strict
        else "    While no second machine has the newest writes, the node writes on, and says so\n"
        "    by an alarm (replication_degraded). To have it stop: strict = true below [ha]."
    )
    return f"""\
## 4. Try it before you need it

[ ] A switchover, while somebody writes:
        {_environment(plan)}/bin/patronictl -c {plan.root(first)}/patroni/patroni.yaml switchover
[ ] The leader's machine without power, after `zhidao ha check --plan PLAN` ended with 0. Writing
    goes on within half a minute; nothing acknowledged is lost. Switch it on again and wait until
    the check ends with 0. Lost before that, while no standby has everything (no_successor),
    Patroni waits for it instead of losing writes.
{strict}
[ ] Backups go on as before (zhidao backup): three machines copy a mistake, too.
[ ] `zhidao ha check --plan PLAN --json` by a timer, and somebody who hears of any status but 0.
"""
