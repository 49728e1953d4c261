"""Evidence that a person keeps in a folder: DID documents, status lists, DNS records."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from zhidao.core.canonical import parse_strict
from zhidao.core.errors import MalformedInput
from zhidao.core.files.bounded import read_bounded
from zhidao.core.limits import JSON_BYTES_MAX
from zhidao.core.timescale import Utc
from zhidao.trust.service.credentials.external_evidence import Fetched, Gathered
from zhidao.trust.wire.identifiers.did_webvh import resolve

_INDEX: Final = "evidence.json"
_KINDS: Final = {"documents", "logs", "lists", "texts"}
_ENTRIES_MAX: Final = 200


def read_evidence_folder(folder: Path, now: Utc) -> Gathered:
    """What `evidence.json` in the folder names.

    documents: {did: file}; logs: {did:webvh: [did.jsonl, did-witness.json or ``]};
    lists: {url: [file, when it was read there]}; texts: {domain: [TXT record, …]}.
    Raises MalformedInput.
    """
    index = _json(folder / _INDEX)
    if not set(index) <= _KINDS or not all(isinstance(part, dict) for part in index.values()):
        raise MalformedInput(f"{_INDEX} has other fields than {', '.join(sorted(_KINDS))}")
    if sum(map(len, index.values())) > _ENTRIES_MAX:
        raise MalformedInput(f"{_INDEX} names more than {_ENTRIES_MAX} things")
    documents: dict[str, dict[str, Any]] = {
        did: _json(_file(folder, name)) for did, name in index.get("documents", {}).items()
    }
    deactivated: set[str] = set()
    for did, names in index.get("logs", {}).items():
        log, witnesses = _pair(names, did)
        proofs = _read(folder, witnesses) if witnesses else b""
        found = resolve(did, _read(folder, log), proofs, now=now)
        if found.deactivated:
            deactivated.add(did)
        else:
            documents[did] = found.document
    lists = {}
    for url, told in index.get("lists", {}).items():
        name, at = _pair(told, url)
        lists[url] = Fetched(_read(folder, name), Utc.parse(at))
    texts = {}
    for domain, records in index.get("texts", {}).items():
        if not isinstance(records, list) or not all(isinstance(each, str) for each in records):
            raise MalformedInput("records are no list of texts", where=domain[:80])
        texts[domain] = tuple(records)
    return Gathered(documents, lists, texts, frozenset(deactivated))


def _pair(value: object, place: str) -> tuple[str, str]:
    good = isinstance(value, list) and len(value) == 2
    if not good or not all(isinstance(item, str) for item in value):  # type: ignore[attr-defined]
        raise MalformedInput("two texts belong here", where=place[:80])
    return value[0], value[1]  # type: ignore[index]


def _file(folder: Path, name: object) -> Path:
    if not isinstance(name, str) or Path(name).name != name:
        raise MalformedInput(f"{str(name)[:80]} is no name of a file in this folder")
    return folder / name


def _read(folder: Path, name: object) -> bytes:
    return read_bounded(_file(folder, name), bytes_max=JSON_BYTES_MAX)


def _json(path: Path) -> dict[str, Any]:
    try:
        value = parse_strict(read_bounded(path, bytes_max=JSON_BYTES_MAX))
    except FileNotFoundError as error:
        raise MalformedInput(f"{path} is missing") from error
    if not isinstance(value, dict):
        raise MalformedInput(f"{path} is no object")
    return value
