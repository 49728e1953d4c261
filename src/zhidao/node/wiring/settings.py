"""What building a node needs to know."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from zhidao.connectivity.adapters.network_settings import NetworkSettings
from zhidao.core.ambient import HandClock
from zhidao.core.ids import PartyId
from zhidao.devices.adapters.gateway import Limits
from zhidao.devices.adapters.listeners import Ports
from zhidao.node.adapters.keys.files import KeyFiles
from zhidao.node.adapters.sign_in.provider_settings import ProviderSettings
from zhidao.node.http.forwarded import Proxies
from zhidao.node.http.hosts import Hosts
from zhidao.node.identity.own_keys import KeySource
from zhidao.node.operations.retention import POSITIONS_KEPT, Rule
from zhidao.node.wiring.notifications.settings import NotificationSettings
from zhidao.node.wiring.operations.shown import ShownSettings
from zhidao.node.wiring.trust.anchor import AnchorSettings
from zhidao.node.wiring.trust.chain import ChainSettings
from zhidao.store.space import RESERVE_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings as values: `scenario` is the demonstration's own clock, if it has one.

    `organisation`: as it is set; empty if only its first admin named it.
    `public_host`: host[:port] of this node's did:web; `machine_networks`: private networks in which
    machines may be read, by commas; both as set.
    `networks`: mobile networks that are asked where a SIM is, and the SIMs.
    `url`, `certificate`: where other nodes reach this one, and the PEM file of its own certificate
    (empty: an authority vouches for it).
    `positioning_method`: points or rtk, by which arrivals are told.
    `two_persons_above`: amounts above which two persons must agree, as set.
    `receivable_nodes`: all nodes of the receivables registry, as set.
    `devices_limits`: how many terminals may be connected; `devices_ports`: ports for them beside
    the first.
    `positions`: what becomes of days of positions that are over.
    `drill_days`: so recent the newest drill of a backup must be; 0: nobody asks for one.
    `network_profile`: the usage rules of payments between banks, by their name.
    `risk_rules`, `screening_list`: the operator's files for the single window.
    `own_database`: the database's files lie in `data`, so this node must watch its disk.
    `bus_authority`, `bus_replicas`: who vouches for the NATS servers, and how many hold the stream.
    `standbys`: synchronous ones that the database must have; `strict`: else nothing is written.
    `etcd`: where this machine's, if it has one, tells its health.
    `disk_reserve_bytes`: with less of that disk free, the node only reads.
    `anchor`: where the log's heads are published, if anywhere.
    `titles_chain`: the chain of others on which titles live, if not in this node.
    `titles_written_runs`: the node's own chain writes contract code out as Python functions.
    `notifications`: the mail server, and where messages may go.
    `provider`: of identities by which people may sign in, if any.
    `shown`: all settings with their sources and the certificate files, for who runs the node.
    `own_keys`: where the node's own keys are, given its key files.
    """

    name: PartyId
    organisation: str
    data: Path
    database_url: str
    bus_url: str
    passphrase: bytes
    demo: bool
    scenario: HandClock | None
    body_bytes_max: int
    requests_per_second: int
    refusals_per_second: int
    proxies: Proxies
    leaves_per_party_hour: int
    devices_host: str
    devices_port: int
    packs: Path | None
    devices_limits: Limits = field(default_factory=Limits)
    devices_ports: Ports = field(default_factory=Ports)
    positions: Rule = POSITIONS_KEPT
    drill_days: int = 0
    risk_rules: Path | None = None
    screening_list: Path | None = None
    public_host: str = ""
    machine_networks: str = ""
    networks: NetworkSettings = field(default_factory=NetworkSettings)
    positioning_method: str = "points"
    two_persons_above: str = ""
    receivable_nodes: str = ""
    list_age_days_max: int = 7
    network_profile: str = "cross-border"
    url: str = ""
    certificate: str = ""
    own_database: bool = False
    bus_prefix: str = "zhidao"
    bus_authority: str = ""
    bus_replicas: int = 1
    standbys: int = 0
    strict: bool = False
    etcd: str = ""
    disk_reserve_bytes: int = RESERVE_BYTES
    anchor: AnchorSettings | None = None
    titles_chain: ChainSettings | None = None
    titles_written_runs: bool = False
    hosts: Hosts | None = None
    shown: ShownSettings = field(default_factory=ShownSettings)
    notifications: NotificationSettings = field(default_factory=NotificationSettings)
    provider: ProviderSettings | None = None
    own_keys: Callable[[KeyFiles], KeySource] = lambda files: files
