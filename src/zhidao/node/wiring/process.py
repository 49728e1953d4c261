"""What one process is built with: the settings of its rooms, its certificate, its manager."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from zhidao.bus.port import ROOT
from zhidao.connectivity.adapters.network_settings import NETWORKS, SIMS, network_settings
from zhidao.core.errors import MalformedInput
from zhidao.core.ids import party_id
from zhidao.devices.adapters.listeners import Ports
from zhidao.node.adapters.scenario_clock import KeptClock
from zhidao.node.adapters.service_manager import ServiceManager, own_service_manager
from zhidao.node.adapters.sign_in.provider_settings import provider_settings
from zhidao.node.adapters.tls.certificate import own_certificate
from zhidao.node.config import Config
from zhidao.node.http.hosts import node_hosts
from zhidao.node.http.server import peers_url, proxies_of
from zhidao.node.operations.lost_folders import keep_certificate
from zhidao.node.operations.retention import Rule
from zhidao.node.wiring.devices import limits_of
from zhidao.node.wiring.keys import key_source
from zhidao.node.wiring.notifications.settings import notification_settings
from zhidao.node.wiring.operations.shown import ShownSettings
from zhidao.node.wiring.settings import Settings
from zhidao.node.wiring.trust.anchor import anchor_settings
from zhidao.node.wiring.trust.chain import chain_settings

SCENARIO_FILE: Final = "scenario-time"


def settings_of(
    config: Config, *, database_url: str, bus_url: str, own_database: bool, passphrase: bytes
) -> Settings:
    """What the rooms need of the settings file. Raises MalformedInput for a value of no meaning."""
    return Settings(
        name=party_id(config.text("node.name")),
        organisation=config.setting("node.organisation"),
        data=config.data,
        database_url=database_url,
        bus_url=bus_url,
        bus_prefix=bus_prefix(config),
        bus_authority=config.text("bus.authority"),
        bus_replicas=bus_replicas(config),
        standbys=config.number("ha.standbys"),
        strict=_strict(config),
        etcd=config.text("ha.etcd"),
        passphrase=passphrase,
        demo=config.flag("node.demo"),
        scenario=KeptClock(config.data / SCENARIO_FILE) if config.flag("node.demo") else None,
        body_bytes_max=config.number("http.body_bytes_max"),
        requests_per_second=config.number("http.requests_per_second"),
        refusals_per_second=config.number("http.refusals_per_second"),
        proxies=proxies_of(config),
        leaves_per_party_hour=config.number("log.leaves_per_party_hour"),
        devices_host=config.text("devices.host"),
        devices_port=config.number("devices.port"),
        devices_limits=limits_of(
            sessions_max=config.number("devices.sessions_max"),
            per_address_max=config.number("devices.per_address_max"),
        ),
        devices_ports=_ports(config),
        positions=Rule(
            "devices.position",
            config.text("devices.positions_retention"),
            config.number("devices.positions_kept_days"),
        ),
        drill_days=config.number("backup.drill_days"),
        public_host=config.text("http.public_host"),
        machine_networks=config.text("industry.machine_networks"),
        networks=network_settings(config.text(NETWORKS), config.text(SIMS)),
        positioning_method=config.text("positioning.method"),
        two_persons_above=config.text("finance.two_persons_above"),
        receivable_nodes=config.text("finance.receivable_nodes"),
        list_age_days_max=config.number("finance.list_age_days_max"),
        network_profile=config.text("finance.network_profile"),
        packs=Path(config.text("packs.folder")) if config.text("packs.folder") else None,
        risk_rules=_file(config, "trade.risk_rules"),
        screening_list=_file(config, "trade.screening_list"),
        url=peers_url(config),
        certificate=str(config.data / "tls" / "certificate.pem")
        if config.text("http.tls") == "auto"
        else "",
        hosts=node_hosts(config),
        notifications=notification_settings(config),
        shown=ShownSettings(config.every(), _own_certificate(config)),
        own_database=own_database,
        disk_reserve_bytes=config.number("node.disk_reserve_bytes"),
        anchor=anchor_settings(
            config.text("anchor.rpc_urls"),
            config.number("anchor.chain_id"),
            config.text("anchor.contract"),
            confirmations=config.number("anchor.confirmations"),
            every_minutes=config.number("anchor.every_minutes"),
        ),
        titles_chain=chain_settings(
            config.text("titles.rpc_urls"),
            config.number("titles.chain_id"),
            confirmations=config.number("titles.confirmations"),
        ),
        provider=provider_settings(
            config.text("oidc.issuer"),
            config.text("oidc.client_id"),
            config.text("oidc.client_secret_file"),
            claim=config.text("oidc.claim"),
            name=config.text("oidc.name"),
        ),
        titles_written_runs=config.flag("titles.written_runs"),
        own_keys=lambda files: key_source(config, files),
    )


def _ports(config: Config) -> Ports:
    """Ports for terminals; the certificate is made, if it is the node's own, where one shows it."""
    tls = config.number("devices.tls_port")
    teltonika_tls = config.number("devices.teltonika_tls_port")
    egts_tls = config.number("devices.egts_tls_port")
    return Ports(
        teltonika=config.number("devices.teltonika_port"),
        tls=tls,
        teltonika_tls=teltonika_tls,
        egts=config.number("devices.egts_port"),
        egts_tls=egts_tls,
        certificate=certificate_files(config) if tls or teltonika_tls or egts_tls else None,
    )


def _own_certificate(config: Config) -> tuple[Path, bool] | None:
    """The file of the certificate that the node shows, and whether it makes it by itself."""
    if config.text("http.tls") == "files":
        return Path(config.text("http.certificate")), False
    if config.text("http.tls") == "auto":
        return config.data / "tls" / "certificate.pem", True
    return None


def service_manager() -> ServiceManager:
    """Whoever started this process and wants to hear of it; silent where there is nobody."""
    return own_service_manager()


def certificate_files(config: Config) -> tuple[str, str] | None:
    """The files of certificate and key as `http.tls` says, made if they are the node's own."""
    if config.text("http.tls") == "files":
        return config.text("http.certificate"), config.text("http.key")
    if config.text("http.tls") == "auto":
        made = own_certificate(config.data / "tls", config.text("http.host"))
        keep_certificate(config.data)
        return made
    return None


def bus_prefix(config: Config) -> str:
    """The first word of the bus's subjects. Raises MalformedInput if it is no such word."""
    prefix = config.text("bus.prefix")
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,31}", prefix):
        raise MalformedInput(
            f"bus.prefix is {prefix!r}; wanted: small letters, digits and hyphens, at most 32"
        )
    # The node's own server has no other node, and lets nothing else be said.
    return prefix if config.text("bus.url") else ROOT


def bus_replicas(config: Config) -> int:
    """How many servers hold the stream. Raises MalformedInput where NATS takes no such number."""
    replicas = config.number("bus.replicas")
    if replicas not in (1, 3, 5) or (replicas > 1 and not config.text("bus.url")):
        raise MalformedInput(
            f"bus.replicas is {replicas}; wanted: 1, or 3 or 5 servers of a cluster in bus.url",
            remedy="name the cluster's servers in bus.url, or leave bus.replicas out",
        )
    return replicas


def _strict(config: Config) -> bool:
    if config.flag("ha.strict") and not config.number("ha.standbys"):
        raise MalformedInput(
            "ha.strict wants a synchronous standby, and ha.standbys says that there is none",
            remedy="set ha.standbys = 1, or leave ha.strict out",
        )
    return config.flag("ha.strict")


def _file(config: Config, name: str) -> Path | None:
    return Path(config.text(name)) if config.text(name) else None
