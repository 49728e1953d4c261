"""What the command line uses of a node that does not run: its time, its keys, its log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from zhidao.core.ambient import Clock, Randomness
from zhidao.core.errors import Refused

if TYPE_CHECKING:
    from zhidao.insight.service.ports import LogSource
    from zhidao.node.adapters.console_acts import ConsoleActs
    from zhidao.node.adapters.keys.export import ListedKey
    from zhidao.node.adapters.keys.files import KeyFiles
    from zhidao.node.adapters.tls.authority import Authority
    from zhidao.node.availability.plan import Plan
    from zhidao.node.availability.seen import Seen
    from zhidao.node.config import Config
    from zhidao.node.operations.checkup import Damage
    from zhidao.store.database import Database

_T = TypeVar("_T")


def system_clock() -> Clock:
    """The machine's clock."""
    from zhidao.node.adapters.ambient import SystemClock

    return SystemClock()


def system_randomness() -> Randomness:
    """The kernel's random bytes."""
    from zhidao.node.adapters.ambient import SystemRandomness

    return SystemRandomness()


def passphrase_in(file: str, data: Path, credentials: str) -> bytes | None:
    """The passphrase of a credential or of a private file; None where neither is named."""
    from zhidao.node.security.private_files import read_passphrase

    return read_passphrase(file, data, credentials)


def key_files(data: Path, passphrase: bytes) -> KeyFiles:
    """The keys of a data folder."""
    from zhidao.node.adapters.keys.files import KeyFiles

    return KeyFiles(data / "keys", passphrase, system_randomness())


def list_keys(data: Path) -> list[ListedKey]:
    """The keys of a data folder by name, without their secrets. Raises Refused (`no_keys`)."""
    from zhidao.node.adapters.keys import export as key_export

    folder = data / "keys"
    found = key_export.list_keys(folder)
    if not found:
        seen = "holds no keys" if folder.is_dir() else "is not there"
        raise Refused(
            f"{folder} {seen}", code="no_keys", remedy="name the node's folder with --data"
        )
    return found


def make_authority(config: Config, names: Sequence[str], *, again: bool) -> Authority:
    """Makes the node's own authority, and the first certificate that it vouches for."""
    from zhidao.node.adapters.tls import authority
    from zhidao.node.adapters.tls.certificate import names_of, own_certificate

    host, public = config.text("http.host"), config.text("http.public_host")
    every = [*names_of(host), *([public] if public else []), *names]
    folder = config.data / "tls"
    made = authority.make_authority(folder, every, node=config.text("node.name"), again=again)
    own_certificate(folder, host)
    return made


def read_authority(config: Config) -> Authority | None:
    """The node's own authority; None where it made none."""
    from zhidao.node.adapters.tls import authority

    return authority.read_authority(config.data / "tls")


def renew_certificate(config: Config) -> str:
    """Makes the node's certificate anew; tells the file."""
    from zhidao.node.adapters.tls.certificate import own_certificate

    folder = config.data / "tls"
    (folder / "certificate.pem").unlink(missing_ok=True)
    return own_certificate(folder, config.text("http.host"))[0]


def export_keys(data: Path, passphrase: bytes, out: Path) -> int:
    """Writes all keys of a data folder into one sealed file and tells how many."""
    from zhidao.node.adapters.keys import export as key_export

    return key_export.export_keys(data / "keys", passphrase, out, system_randomness())


def import_keys(source: Path, passphrase: bytes, data: Path) -> int:
    """Takes the keys of such a file into a data folder and tells how many."""
    from zhidao.node.adapters.keys import export as key_export

    return key_export.import_keys(source, passphrase, data / "keys", system_randomness())


def keys_unlike(config: Config) -> list[Damage]:
    """Files of keys that the node's database knows otherwise: lost ones, and those of others.

    Raises Refused (`no_node`) where no database stands, Unavailable if it does not answer.
    """
    from zhidao.node.adapters.keys.known import in_folder, party_records
    from zhidao.node.identity.own_keys import refuse_no_files
    from zhidao.node.operations.checkup import Damage
    from zhidao.node.operations.lost_folders import LOST_KEYS
    from zhidao.node.security import known_keys

    folder = config.data / "keys"
    labels = [file.stem for file in folder.glob("*.key")]

    async def compare(database: Database) -> list[Damage]:
        try:
            await refuse_no_files(database, labels, folder)
        except Refused as error:
            return [Damage(folder, str(error.args[0]), LOST_KEYS)]
        found = known_keys.compare(await party_records(database), in_folder(folder))
        # A damaged file is named with what is wrong in it.
        return [
            Damage(
                folder / f"{each.label}.key",
                each.seen,
                known_keys.OTHER_REMEDY if each.is_other else known_keys.LACKING_REMEDY,
            )
            for each in found
            if each.is_other or each.label not in labels
        ]

    return _with_database(config, compare)


def log_of_proofs(files: Sequence[bytes], trust: bytes | None) -> LogSource:
    """As much of some logs as proof files open; by a trust list if one is given."""
    from zhidao.node.adapters.proof_log import ProofFiles
    from zhidao.trust.wire.governance.trust_list import decode_trust_list

    return ProofFiles(files, decode_trust_list(trust) if trust is not None else None)


@asynccontextmanager
async def log_of_database(url: str, data: Path) -> AsyncIterator[LogSource]:
    """The whole log of a node's database; its head is checked against the node's own key."""
    from zhidao.node.adapters.keys.export import public_key
    from zhidao.node.adapters.log_source import DatabaseLog
    from zhidao.node.identity.log_keys import newest_log_key
    from zhidao.store.database import Database

    database = await Database.open(url, connections_max=2)
    try:
        key = public_key(data / "keys", f"{newest_log_key(data / 'keys')}.ed25519")
        yield DatabaseLog(database, key)
    finally:
        await database.close()


def examine_records(config: Config) -> list[str]:
    """What in the node's database does not fit its signed log, one sentence each."""
    from zhidao.node.adapters.records_check import examine_records as examine
    from zhidao.node.operations.backup import newest_head

    return _with_database(config, lambda database: examine(database, newest_head(config)))


def reset_person(config: Config, name: str, password: str) -> None:
    """Gives a person of the node's own party a new password, at the machine itself.

    Passkeys go with the old one: whoever is locked out may have lost them.

    Raises NotFound, Refused (`not_own`, `short_password`) for a person of another party.
    """
    from dataclasses import replace

    from argon2 import PasswordHasher

    from zhidao.core.errors import Conflict, NotFound, Refused
    from zhidao.node.adapters.caller_store import PostgresCallers
    from zhidao.node.adapters.sign_in.passkey_store import PostgresPasskeys
    from zhidao.node.security.administration import Act
    from zhidao.node.security.passkeys.records import values_of as told_of
    from zhidao.node.security.people import check_password, values_of

    check_password(password)

    async def reset(database: Database) -> None:
        console = _console(database, config)
        callers = PostgresCallers(database, console.acts)
        before = await callers.person(name)
        if before is None or before.withdrawn:
            raise NotFound("no person of that name", where=name)
        node = await console.node()
        if before.party != node:
            raise Refused(
                f"{name} is a person of {before.party}, which must agree itself",
                code="not_own",
                remedy=f"zhidao people reset {name} --url … and let {before.party} agree",
            )
        after = replace(before, password_hash=PasswordHasher().hash(password), waiting_hash="")
        record = console.record(node, Act.PASSWORD_RESET, subject=name, values=values_of(after))
        act = Act.PASSKEY_REMOVED
        passkeys = {
            each.credential_id: console.record(node, act, subject=name, values=told_of(each))
            for each in await PostgresPasskeys(database, console.acts).of(name)
        }
        if not await callers.change_person(
            before, after, record, end_sessions=True, passkeys=passkeys
        ):
            raise Conflict(f"{name} was changed meanwhile; look and try again")

    _with_database(config, reset)


def agree_person(config: Config, name: str) -> str:
    """Lets in a person whose party has nobody left to agree; returns the party.

    At the machine itself, where whoever runs the node answers for it; the log tells of it, and the
    party's page says that only the operator agreed. Raises NotFound, Conflict (`agreed_already`,
    `not_joined`).
    """
    from dataclasses import replace

    from zhidao.core.errors import Conflict, NotFound
    from zhidao.node.adapters.caller_store import PostgresCallers
    from zhidao.node.security.administration import Act
    from zhidao.node.security.callers import OPERATOR
    from zhidao.node.security.people import values_of

    async def agree(database: Database) -> str:
        console = _console(database, config)
        callers = PostgresCallers(database, console.acts)
        before = await callers.person(name)
        if before is None or before.withdrawn:
            raise NotFound("no person of that name", where=name)
        if before.is_invited:
            raise Conflict(f"{name} has not used the invitation yet", code="not_joined")
        if not before.waiting_hash:
            raise Conflict(f"the party has agreed to {name}", code="agreed_already")
        after = replace(before, password_hash=before.waiting_hash, waiting_hash="", agreed=OPERATOR)
        node = await console.node()
        record = console.record(
            node, Act.PERSON_AGREED, subject=name, values=values_of(after), party=before.party
        )
        if not await callers.change_person(before, after, record, end_sessions=True):
            raise Conflict(f"{name} was changed meanwhile; look and try again")
        return str(before.party)

    return _with_database(config, agree)


def _console(database: Database, config: Config) -> ConsoleActs:
    from zhidao.core.ids import party_id
    from zhidao.node.adapters.console_acts import ConsoleActs

    name = party_id(config.text("node.name"))
    return ConsoleActs(database, name, system_clock(), system_randomness())


def _with_database(config: Config, work: Callable[[Database], Coroutine[Any, Any, _T]]) -> _T:
    from zhidao.node.operations.database_access import database_of
    from zhidao.store.database import Database

    async def done(url: str) -> _T:
        database = await Database.open(url, connections_max=2)
        try:
            return await work(database)
        finally:
            await database.close()

    with database_of(config) as url:
        return asyncio.run(done(url))


def write_machines(plan: Plan, folder: Path) -> tuple[Path, list[str]]:
    """Writes the plan of three machines; its check list, and all its files."""
    from zhidao.node.adapters.availability.folder import CHECK_LIST, write_plan

    return folder / CHECK_LIST, write_plan(plan, folder, system_randomness())


def see_machines(folder: Path) -> Seen:
    """What the machines of a written plan answer now. Raises MalformedInput (`no_plan`)."""
    from zhidao.node.adapters.availability.asking import ask_machines
    from zhidao.node.adapters.availability.folder import open_plan

    return asyncio.run(ask_machines(open_plan(folder)))
