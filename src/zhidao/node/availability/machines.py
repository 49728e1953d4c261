"""The three machines of a plan: names, addresses and ports, as somebody typed them."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

from zhidao.core.errors import MalformedInput

# One may be lost: two are a majority, and hold every acknowledged write twice.
MACHINES: Final = 3
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,30}")
_LABEL: Final = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOST: Final = re.compile(rf"{_LABEL}(\.{_LABEL})*")
_HOST_CHARS: Final = 253
_WORD: Final = re.compile(
    r"(?:(?P<name>[^=]*)=)?(?:\[(?P<six>[^]]*)\]|(?P<host>[^:\[\]]*))(?::(?P<port>.*))?"
)
_REMEDY: Final = "name three, such as --machines db1.example.org,db2.example.org,db3.example.org"
_FIRST_PORT: Final = 1024
_LAST_PORT: Final = 65535


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the parts of one machine listen: what each is given by default elsewhere, too."""

    etcd_client: int = 2379
    etcd_peer: int = 2380
    database: int = 5432
    patroni: int = 8008
    bus: int = 4222
    bus_cluster: int = 6222
    node: int = 8443
    node_devices: int = 7611
    etcd_health: int = 2381

    @classmethod
    def beginning_at(cls, first: int) -> Self:
        """Nine ports in a row, for several machines on one address."""
        return cls(*range(first, first + len(cls.__slots__)))


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine. `address`: a name, or an IP address without brackets."""

    name: str
    address: str
    ports: Ports

    @property
    def host(self) -> str:
        """The address as it stands in a URL."""
        return f"[{self.address}]" if ":" in self.address else self.address

    @property
    def reached(self) -> str:
        """The address in its one form: what is reached by two spellings of it has one here.

        A name is not looked up; but every name of loopback is either of its usual addresses.
        """
        ip = _ip(self.address)
        if _is_loopback_name(self.address) or str(ip) in ("127.0.0.1", "::1"):
            return "localhost"
        return str(ip) if ip else self.address.lower()

    @property
    def is_loopback(self) -> bool:
        """Whether nobody but this machine reaches it."""
        ip = _ip(self.address)
        return ip.is_loopback if ip else _is_loopback_name(self.address)

    @property
    def own(self) -> str:
        """An address of it that nobody but this machine reaches."""
        return self.host if self.is_loopback else "127.0.0.1"

    @property
    def bound(self) -> str:
        """Where its servers listen: at an address, and for a name at all of the machine's."""
        return self.host if _ip(self.address) else "127.0.0.1" if self.is_loopback else "0.0.0.0"  # noqa: S104


def parse_machines(text: str) -> tuple[Machine, ...]:
    """Three of `[NAME=]ADDRESS[:PORT]`, by commas; PORT is the first of nine in a row.

    Raises MalformedInput (`bad_machines`) that says which is wrong.
    """
    words = [each.strip() for each in text.split(",")]
    if len(words) != MACHINES:
        raise _bad(f"{len(words)} machines; wanted: {MACHINES}")
    machines = tuple(_parsed(word, number) for number, word in enumerate(words, 1))
    _check_apart(machines)
    return machines


def machines_in(entries: Sequence[Mapping[str, Any]]) -> tuple[Machine, ...]:
    """The machines of a plan's own file. Raises MalformedInput."""
    try:
        machines = tuple(
            Machine(str(each["name"]), str(each["address"]), Ports(**each["ports"]))
            for each in entries
        )
        good = len(machines) == MACHINES and all(map(_is_whole, machines))
    except (KeyError, TypeError, AttributeError) as error:
        raise _bad(f"the plan's file does not tell them: {error!r}") from error
    if not good:
        raise _bad("the plan's file names other things than three machines")
    _check_apart(machines)
    return machines


def machine_entry(machine: Machine) -> dict[str, Any]:
    """As `machines_in` reads it."""
    ports = asdict(machine.ports)
    return {"name": machine.name, "address": machine.address, "ports": ports}


def _is_whole(machine: Machine) -> bool:
    ports = asdict(machine.ports).values()
    known = bool(_NAME.fullmatch(machine.name)) and _is_address(machine.address)
    return known and all(type(each) is int and 0 < each <= _LAST_PORT for each in ports)


def _parsed(word: str, number: int) -> Machine:
    found = _WORD.fullmatch(word)
    if not found:
        raise _bad(f"{word[:60]!r} is no machine; wanted: [NAME=]ADDRESS[:PORT]")
    address = found["six"] if found["six"] is not None else found["host"]
    if not _is_address(address):
        raise _bad(f"{address[:60]!r} is no name or address of a machine")
    first_label = address.partition(".")[0].lower()
    usual = first_label if not _ip(address) and _NAME.fullmatch(first_label) else f"m{number}"
    name = found["name"] if found["name"] is not None else usual
    if not _NAME.fullmatch(name):
        raise _bad(f"{name[:60]!r} is no name: small letters, digits and hyphens, at most 31")
    return Machine(name, address, _ports(found["port"]))


def _ports(text: str | None) -> Ports:
    if text is None:
        return Ports()
    last = _LAST_PORT - len(Ports.__slots__) + 1
    if not (text.isascii() and text.isdigit() and _FIRST_PORT <= int(text[:6]) <= last):
        raise _bad(f"{text[:20]!r} is no first port; wanted: {_FIRST_PORT} to {last}")
    return Ports.beginning_at(int(text))


def _is_address(text: str) -> bool:
    ip = _ip(text)
    if ip:
        return not (ip.is_unspecified or ip.is_multicast)
    # What is digits and dots only is a wrong IP address, not a name.
    named = len(text) <= _HOST_CHARS and bool(_HOST.fullmatch(text))
    return named and not re.fullmatch(r"[0-9.]+", text)


def _check_apart(machines: Sequence[Machine]) -> None:
    if len({each.name for each in machines}) < len(machines):
        raise _bad("two machines have one name; give names: one=ADDRESS,two=ADDRESS,three=ADDRESS")
    if len({each.is_loopback for each in machines}) > 1:
        raise _bad("one address is loopback and another is not: they cannot reach each other")
    taken = set[tuple[str, int]]()
    for machine in machines:
        mine = {(machine.reached, port) for port in asdict(machine.ports).values()}
        if len(mine) < len(Ports.__slots__) or taken & mine:
            raise _bad(
                f"{machine.name} shares ports with another on {machine.address}, however it is "
                "written: give each a "
                "first port at least nine apart"
            )
        taken |= mine


def _is_loopback_name(name: str) -> bool:
    """RFC 6761 section 6.3: `localhost` and all names below it."""
    return name.lower() == "localhost" or name.lower().endswith(".localhost")


def _ip(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address; one of IPv4 in IPv6 dress (RFC 4291 section 2.5.5.2) is the one of IPv4."""
    try:
        ip = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(ip, "ipv4_mapped", None) or ip


def _bad(message: str) -> MalformedInput:
    return MalformedInput(message, code="bad_machines", where="--machines", remedy=_REMEDY)
