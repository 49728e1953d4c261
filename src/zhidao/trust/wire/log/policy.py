"""Policy files: lines of words, as C2SP tlog-policy defines them (revision 13027eee)."""

from __future__ import annotations

import re
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.trust.domain.policy import Policy, PolicyGroup, PolicyLog, PolicyWitness
from zhidao.trust.wire.log.note import parse_vkey, vkey

POLICY_BYTES_MAX: Final = 1024 * 1024
_THRESHOLD: Final = re.compile(r"[1-9][0-9]{0,3}\Z", re.ASCII)
_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
_BLANK: Final = re.compile("[ \t]+")


def parse_policy(data: bytes) -> Policy:
    """Reads a policy. Raises MalformedInput with the line's number.

    Octets beyond ASCII are names and compare as they are; those that are no UTF-8 are refused,
    since a name is shown to people.
    """
    if len(data) > POLICY_BYTES_MAX:
        raise MalformedInput(f"a policy of {len(data)} bytes; at most {POLICY_BYTES_MAX} are read")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedInput("a policy is UTF-8", where=f"byte {error.start}") from error
    if _CONTROL.search(text):
        raise MalformedInput("a policy bears no control characters but tab and newline")
    reading = _Reading()
    for number, line in enumerate(text.split("\n"), 1):
        words = [word for word in _BLANK.split(line) if word]
        if not words or words[0].startswith("#"):
            continue
        try:
            reading.take(words)
        except MalformedInput as error:
            raise MalformedInput(str(error.args[0]), where=f"line {number}") from error
    if not reading.quorum:
        raise MalformedInput("a policy has one quorum line")
    return Policy(
        tuple(reading.logs), tuple(reading.witnesses), tuple(reading.groups), reading.quorum
    )


def encode_policy(policy: Policy) -> bytes:
    """The one form in which a policy of ours is written."""
    lines = [f"log {vkey(log.key)} {log.url}".rstrip() for log in policy.logs]
    lines += [f"witness {w.name} {vkey(w.key)} {w.url}".rstrip() for w in policy.witnesses]
    lines += [f"group {g.name} {g.threshold} {' '.join(g.members)}" for g in policy.groups]
    lines.append(f"quorum {policy.quorum}")
    return ("\n".join(lines) + "\n").encode()


class _Reading:
    """The lines so far; a group may name only what stands before it."""

    def __init__(self) -> None:
        self.logs: list[PolicyLog] = []
        self.witnesses: list[PolicyWitness] = []
        self.groups: list[PolicyGroup] = []
        self.quorum = ""
        self._names: set[str] = set()

    def take(self, words: list[str]) -> None:
        match words:
            case ["log", key]:
                self.logs.append(PolicyLog(parse_vkey(key)))
            case ["log", key, url]:
                self.logs.append(PolicyLog(parse_vkey(key), url))
            case ["witness", name, key, *url] if len(url) <= 1:
                self._names.add(name)
                self.witnesses.append(PolicyWitness(name, parse_vkey(key), "".join(url)))
            case ["group", name, threshold, *members] if members:
                self._group(name, threshold, members)
            case ["quorum", name] if not self.quorum:
                if name != "none" and name not in self._names:
                    raise MalformedInput(f"the quorum {name!r} is not defined above")
                self.quorum = name
            case _:
                raise MalformedInput(f"not a line of a policy: {' '.join(words)[:80]!r}")

    def _group(self, name: str, threshold: str, members: list[str]) -> None:
        unknown = [member for member in members if member not in self._names]
        if unknown:
            raise MalformedInput(f"the member {unknown[0]!r} is not defined above")
        if threshold in ("all", "any"):
            count = len(members) if threshold == "all" else 1
        elif _THRESHOLD.match(threshold):
            count = int(threshold)
        else:
            raise MalformedInput(f"not a threshold: {threshold[:16]!r}")
        self.groups.append(PolicyGroup(name, count, tuple(members)))
        self._names.add(name)
