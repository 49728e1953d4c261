"""The node's settings: one TOML file and the environment, each value with where it came from."""

from __future__ import annotations

import ipaddress
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from zhidao.core.errors import MalformedInput
from zhidao.core.files.bounded import read_bounded, read_kept
from zhidao.store.space import RESERVE_BYTES

Value = str | int | bool
# In the data folder: the name that the first admin gave the organisation (`node.organisation`).
ORGANISATION_FILE: Final = "organisation"
FIRST_START: Final = "first start"
# Of a file of settings.
FILE_BYTES_MAX: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: `section.key`, its default (which gives the type) and what it is for."""

    name: str
    default: Value
    text: str
    secret: bool = False

    @property
    def variable(self) -> str:
        """The environment variable that overrides it."""
        return "ZHIDAO_" + self.name.replace(".", "_").upper()


SETTINGS: Final = (
    Setting("node.name", "node", "the node's own party name, used in what it signs"),
    Setting("node.organisation", "", "who runs this node, in words"),
    Setting("node.data", "", "folder of database, bus, keys; empty: ~/.local/share/zhidao"),
    Setting("node.demo", False, "a demonstration: scenario time and simulated network allowed"),
    Setting(
        "node.roles",
        "all",
        "what this process does: all, or some of api, gateway, recorder, relay, ledger, log, "
        "chain, federation, batch, page",
    ),
    Setting(
        "node.process_url",
        "",
        "where other processes of this node reach this one; empty: its own address",
    ),
    Setting(
        "node.process_port",
        0,
        "port at which other processes reach one that shares http.port; 0 takes a free one",
    ),
    Setting(
        "node.processes.api",
        0,
        "further processes with the roles api and page, on the same port; started and watched",
    ),
    Setting("node.disk_reserve_bytes", RESERVE_BYTES, "with less free disk the node only reads"),
    Setting("http.host", "127.0.0.1", "address that the API and pages listen on"),
    Setting("http.port", 8443, "port; 0 takes a free one"),
    Setting("http.port_shared", False, "several processes of one user listen on http.port at once"),
    Setting("http.tls", "auto", "auto: own certificate; files: yours; off: loopback only"),
    Setting("http.certificate", "", "PEM file for http.tls = files"),
    Setting("http.key", "", "PEM file for http.tls = files"),
    Setting(
        "http.public_host",
        "",
        "host[:port] under which others reach this node over https: its did:web; empty: localhost",
    ),
    Setting(
        "http.names",
        "",
        "further names under which this node may be asked, by commas; *.example.org: one label",
    ),
    Setting("http.body_bytes_max", 8 * 1024 * 1024, "larger request bodies are refused"),
    Setting("http.requests_per_second", 200, "per caller address; 0: no limit"),
    Setting(
        "http.refusals_per_second",
        2,
        "per caller; whoever is refused more often than that waits; 0: nobody waits",
    ),
    Setting("http.connections_max", 4096, "open connections of all; then the largest block's go"),
    Setting("http.connections_per_block", 256, "open connections of one /24 (IPv6: /56)"),
    Setting("http.trusted_proxies", "", "networks of your own proxies, such as 10.0.0.0/8"),
    Setting("http.forwarded_header", "X-Forwarded-For", "where these name who asked them"),
    Setting(
        "oidc.issuer",
        "",
        "provider of identities (OpenID Connect) by which linked people may sign in; empty: none",
    ),
    Setting("oidc.client_id", "", "this node's name at the provider"),
    Setting("oidc.client_secret_file", "", "file of mode 0600 with its secret; empty: PKCE alone"),
    Setting("oidc.claim", "sub", "which claim names a person there: sub, email or another"),
    Setting("oidc.name", "", "what people call the provider; empty: its host"),
    Setting("log.leaves_per_party_hour", 40_000, "half of them at once; 0: no limit"),
    Setting("database.url", "", "PostgreSQL URL; empty: embedded server", secret=True),
    Setting(
        "bus.url",
        "",
        "NATS URL, several of one cluster by commas; empty: embedded server",
        secret=True,
    ),
    Setting("bus.authority", "", "PEM file of the authority of its certificates; empty: system's"),
    Setting("bus.replicas", 1, "servers of a NATS cluster that hold the stream: 1, 3 or 5"),
    Setting(
        "ha.standbys",
        0,
        "synchronous standbys that the database must have, else an alarm; 0: nobody looks",
    ),
    Setting("ha.strict", False, "while it has fewer, the node writes and signs nothing"),
    Setting(
        "ha.etcd",
        "",
        "where this machine's etcd tells its health, http://127.0.0.1:2381: without a quorum of it"
        " no other machine could take over; empty: nobody looks",
    ),
    Setting("bus.prefix", "zhidao", "first word of subjects; of its own where nodes share a NATS"),
    Setting("devices.host", "127.0.0.1", "address that terminals (JT/T 808) connect to"),
    Setting("devices.port", 0, "its port; 0 takes a free one"),
    Setting("devices.tls_port", 0, "port for JT/T 808 over TLS, by the node's certificate; 0: off"),
    Setting("devices.teltonika_port", 0, "port for Teltonika terminals; 0: off"),
    Setting("devices.teltonika_tls_port", 0, "port for Teltonika over TLS; 0: off"),
    Setting("devices.egts_port", 0, "port for units and platforms of EGTS; 0: off"),
    Setting("devices.egts_tls_port", 0, "port for EGTS over TLS; 0: off"),
    Setting("devices.sessions_max", 20_000, "connections of terminals at once"),
    Setting(
        "devices.per_address_max",
        10_000,
        "of these from one address: a fleet comes from few addresses of its mobile network",
    ),
    Setting(
        "devices.positions_retention",
        "keep",
        "keep; archive: as Parquet in archive/, its root in the log; delete: frames stay as proof",
    ),
    Setting("devices.positions_kept_days", 90, "days of positions that stay in the database"),
    Setting(
        "connectivity.networks",
        "",
        "mobile networks that tell where a SIM is (TOML, one section each); empty: none",
    ),
    Setting("connectivity.sims", "", "the SIMs about which they are asked (CSV)"),
    Setting(
        "positioning.method",
        "points",
        "points; rtk: an arrival must also agree with a baseline beside an added base station",
    ),
    Setting(
        "industry.machine_networks",
        "",
        "private networks in which machines may be read, such as 10.20.0.0/16, 127.0.0.1; "
        "empty: none",
    ),
    Setting(
        "finance.two_persons_above",
        "",
        "above these amounts two persons must agree, such as CNY 500000.00, EUR 70000.00; a "
        "currency not named: always; empty: never",
    ),
    Setting(
        "finance.receivable_nodes",
        "",
        "all nodes of the receivables registry by name, such as node-a, node-b; empty: this one",
    ),
    Setting("finance.list_age_days_max", 7, "with an older sanctions list nothing is screened"),
    Setting(
        "finance.network_profile",
        "cross-border",
        "what payments between banks are held to: cross-border, instant, or one added by packs",
    ),
    Setting("trade.risk_rules", "", "risk rules of the single window (JSON); empty: reference"),
    Setting("trade.screening_list", "", "list of names and HS codes to screen (CSV); empty: none"),
    Setting("keys.passphrase_file", "", "file of mode 0600 outside the data folder"),
    Setting(
        "keys.token_module",
        "",
        "PKCS#11 library of a token that keeps the node's own keys; empty: sealed files",
    ),
    Setting("keys.token_label", "", "which token of that library"),
    Setting("backup.recovery_key", "", "age1… key to which backups are sealed; empty: not sealed"),
    Setting("backup.folder", "", "where zhidao drill looks for the newest backup; empty: nowhere"),
    Setting(
        "backup.drill_days",
        14,
        "days after which an alarm asks for a drill of the newest backup; 0: never",
    ),
    Setting("keys.token_pin_file", "", "its PIN, a file of mode 0600 outside the data folder"),
    Setting(
        "anchor.rpc_urls",
        "",
        "EVM JSON-RPC endpoints of one chain of others, by commas, on which the log's heads are "
        "published; empty: nowhere",
        secret=True,
    ),
    Setting("anchor.chain_id", 0, "that chain's id"),
    Setting("anchor.contract", "", "address of a LogAnchor contract on it"),
    Setting("anchor.confirmations", 12, "blocks on top of one that counts"),
    Setting("anchor.every_minutes", 10, "how often the newest head is published"),
    Setting(
        "titles.rpc_urls",
        "",
        "EVM JSON-RPC endpoints of one chain of others, by commas, on which this node's titles "
        "live; empty: in the node",
        secret=True,
    ),
    Setting("titles.chain_id", 0, "that chain's id"),
    Setting(
        "titles.confirmations", 12, "blocks on top of one that counts; 0 where none is taken back"
    ),
    Setting(
        "titles.written_runs",
        False,
        "contract code of the node's own chain is written out as Python functions: three times as "
        "many transactions, by `exec` of code made from contracts",
    ),
    Setting(
        "mail.host", "", "SMTP server for notifications by mail; empty: the node sends no mail"
    ),
    Setting("mail.port", 587, "its port"),
    Setting(
        "mail.tls", "starttls", "starttls; tls: from the first byte; off: on this machine only"
    ),
    Setting("mail.from", "", "the address that mail comes from"),
    Setting("mail.user", "", "name at the mail server; empty: no sign-in"),
    Setting("mail.password_file", "", "its password, a file of mode 0600"),
    Setting(
        "notifications.private_networks",
        "",
        "private networks to which webhooks and push messages may go, such as 10.20.0.0/16; "
        "empty: public addresses only",
    ),
    Setting(
        "notifications.authorities",
        "",
        "PEM file of further authorities for the mail server, push services and webhooks",
    ),
    Setting(
        "notifications.contact",
        "",
        "where push services ask, mailto: or https:; empty: mail.from, else the node's address",
    ),
    Setting("log.level", "info", "debug, info, warning or error"),
    Setting("packs.folder", "", "rule packs; empty: beside the Python environment"),
)
_BY_NAME: Final = {setting.name: setting for setting in SETTINGS}


@dataclass(frozen=True, slots=True)
class Sourced:
    """A value and where it came from: `default`, a file, a variable, or the first start."""

    setting: Setting
    value: Value
    source: str

    @property
    def shown(self) -> Value:
        """The value, or dots for a secret that is set."""
        return "••••" if self.setting.secret and self.value else self.value


class Config:
    """All settings with their sources."""

    def __init__(self, values: Mapping[str, Sourced]) -> None:
        self._values = values

    def text(self, name: str) -> str:
        """A text setting."""
        value = self._values[name].value
        assert isinstance(value, str)
        return value

    def number(self, name: str) -> int:
        """A whole number setting."""
        value = self._values[name].value
        assert isinstance(value, int)
        return value

    def setting(self, name: str) -> str:
        """A text setting, empty if it only stands as it was said at first start."""
        return "" if self._values[name].source == FIRST_START else self.text(name)

    def flag(self, name: str) -> bool:
        """A yes-or-no setting."""
        return bool(self._values[name].value)

    def every(self) -> list[Sourced]:
        """All values in the order of the table."""
        return [self._values[setting.name] for setting in SETTINGS]

    @property
    def data(self) -> Path:
        """The data folder, absolute."""
        folder = self.text("node.data")
        if folder:
            return Path(folder).expanduser().absolute()
        home = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
        return Path(home) / "zhidao"


def load(
    file: Path | None,
    environment: Mapping[str, str],
    overrides: Mapping[str, Value] | None = None,
) -> Config:
    """Reads settings: defaults, then the file, then the environment, then the command line.

    Where nobody sets who runs the node, the name given at its first start counts.
    Raises MalformedInput for an unknown name or a value of the wrong type, naming its place.
    """
    values = {s.name: Sourced(s, s.default, "default") for s in SETTINGS}
    if file is not None:
        for name, value in _read(file).items():
            values[name] = Sourced(
                _known(name, str(file)), _typed(name, value, str(file)), str(file)
            )
    for setting in SETTINGS:
        if setting.variable in environment:
            value = _parsed(setting, environment[setting.variable])
            values[setting.name] = Sourced(setting, value, setting.variable)
    for name, value in (overrides or {}).items():
        values[name] = Sourced(_BY_NAME[name], value, "command line")
    config = Config(values)
    organisation = values["node.organisation"]
    if not organisation.value and (said := _said_at_first_start(config.data)):
        values["node.organisation"] = Sourced(organisation.setting, said, FIRST_START)
    return config


def is_everywhere(host: str) -> bool:
    """Whether who listens at `host` listens at all addresses of the machine."""
    try:
        return ipaddress.ip_address(host).is_unspecified
    except ValueError:
        return False


def _said_at_first_start(data: Path) -> str:
    try:
        return read_kept(data / ORGANISATION_FILE).decode()
    except (OSError, UnicodeDecodeError):
        return ""


def _read(file: Path) -> dict[str, Any]:
    try:
        document = tomllib.loads(read_bounded(file, bytes_max=FILE_BYTES_MAX).decode())
    except FileNotFoundError as error:
        raise MalformedInput(f"no settings file {file}") from error
    except OSError as error:
        raise MalformedInput(
            f"the settings file {file} cannot be read: {error.strerror}",
            code="file_unusable",
            remedy="name a file that you may read",
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedInput(f"settings are not TOML: {error}", where=str(file)) from error
    flat: dict[str, Any] = {}
    for section, entries in document.items():
        if not isinstance(entries, dict):
            raise MalformedInput(f"{section!r} stands outside a [section]", where=str(file))
        flat.update(_flat(section, entries))
    return flat


def _flat(section: str, entries: Mapping[str, Any]) -> dict[str, Any]:
    """Entries under their full names: `processes.api = 2` in [node] is `node.processes.api`."""
    flat: dict[str, Any] = {}
    for key, value in entries.items():
        name = f"{section}.{key}"
        flat.update(_flat(name, value) if isinstance(value, dict) else {name: value})
    return flat


def _known(name: str, where: str) -> Setting:
    if name not in _BY_NAME:
        raise MalformedInput(
            f"no setting {name!r}", where=where, remedy="zhidao config show lists all"
        )
    return _BY_NAME[name]


def _typed(name: str, value: object, where: str) -> Value:
    wanted = type(_known(name, where).default)
    if type(value) is not wanted:
        raise MalformedInput(f"{name} wants {wanted.__name__}, not {value!r}", where=where)
    assert isinstance(value, str | int | bool)
    return value


def _parsed(setting: Setting, text: str) -> Value:
    if isinstance(setting.default, bool):
        if text.lower() in ("1", "true", "yes", "on"):
            return True
        if text.lower() in ("0", "false", "no", "off", ""):
            return False
        raise MalformedInput(f"wants true or false, not {text!r}", where=setting.variable)
    if isinstance(setting.default, int):
        if not text.isascii() or not text.isdigit():
            raise MalformedInput(f"wants a whole number, not {text!r}", where=setting.variable)
        return int(text)
    return text
