"""Each file of a data folder lost or damaged in seven ways: the right one is named, none replaced."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from tests.node.operations.test_checkup import checks_of

from zhidao.cli.main import main
from zhidao.core.ambient import SeededRandomness
from zhidao.core.canonical import jcs
from zhidao.core.encoding import base64url, parse_base64url
from zhidao.core.errors import MalformedInput, Refused, ZhidaoError
from zhidao.core.keys import Algorithm
from zhidao.core.timescale import Utc
from zhidao.node.adapters.keys.files import Inventory, KeyFiles
from zhidao.node.adapters.scenario_clock import KeptClock
from zhidao.node.adapters.tls.certificate import own_certificate
from zhidao.node.config import Config, load
from zhidao.node.operations.backup import Counter, keep_counter, newest_counter
from zhidao.node.operations.lost_folders import keep_certificate, refuse_lost
from zhidao.node.serve import serve
from zhidao.node.wiring.checkup_files import examine_files
from zhidao.node.wiring.process import certificate_files
from zhidao.store.embedded import EmbeddedPostgres
from zhidao.trust.adapters.log.head_file import FileHeadCopy
from zhidao.trust.adapters.log.memory import MemoryLogStore
from zhidao.trust.adapters.witness.file import FileWitnessStore
from zhidao.trust.service.log.sequencer import Sequencer, TimedKey, origin_of

PASSPHRASE = b"a long sentence"
OWN = [
    ("node", Algorithm.ED25519),
    ("custody", Algorithm.ED25519),
    ("witness", Algorithm.ED25519),
    ("party.maker", Algorithm.ED25519),
    ("log", Algorithm.ML_DSA_44),
]
FILES = [
    *(f"keys/{name}.{algorithm.label}.key" for name, algorithm in OWN),
    "keys/vault.json",
    "keys/inventory.json",
    "keys/names.json",
    "log/checkpoint",
    "log/witnessed",
    "log/backups",
    "postgres/password",
    "postgres/cluster/PG_VERSION",
    "postgres/cluster/global/pg_control",
    "tls/certificate.pem",
    "tls/key.pem",
    "scenario-time",
]
# Not there before its time: a first backup, a demonstration.
MAY_BE_MISSING = {"log/backups", "scenario-time"}
# Only the database can say that this is not its password; another digit is another time.
NOT_IN_THE_BYTES = {("postgres/password", "flipped"), ("scenario-time", "flipped")}
service = pytest.mark.service


def missing(file: Path) -> None:
    file.unlink()


def empty(file: Path) -> None:
    file.write_bytes(b"")


def truncated(file: Path) -> None:
    data = file.read_bytes()
    file.write_bytes(data[: len(data) // 2])


def flipped(file: Path) -> None:
    """One bit, at a place that the file's name and size choose."""
    data = bytearray(file.read_bytes())
    # A newline at the end is nobody's meaning; the rest of a control file is zero.
    place = random.Random(file.name).randrange(min(len(data), 250) - 1 or 1)
    data[place] ^= 1 << 2
    file.write_bytes(bytes(data))


def piped(file: Path) -> None:
    """A pipe that nobody writes to: who opens it as a file waits for ever."""
    file.unlink()
    os.mkfifo(file)


def endless(file: Path) -> None:
    file.unlink()
    file.symlink_to("/dev/zero")


def nested(file: Path) -> None:
    """As deep as no reader goes that recurses."""
    file.write_bytes(b"[" * 100_000)


WAYS: list[Callable[[Path], None]] = [
    *(missing, empty, truncated, flipped),
    *(piped, endless, nested),
]


def keys_of(folder: Path) -> KeyFiles:
    return KeyFiles(folder / "keys", PASSPHRASE, SeededRandomness(len(list(folder.rglob("*")))))


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Config]:
    """The data folder of a node that has run, made of its own parts, and its real database."""
    folder = tmp_path_factory.mktemp("used") / "node"
    folder.mkdir(mode=0o700)
    passphrase = folder.parent / "passphrase"
    passphrase.write_bytes(PASSPHRASE)
    passphrase.chmod(0o600)
    keys = keys_of(folder)
    made = {name: keys.make(name, algorithm) for name, algorithm in OWN}
    clock = KeptClock(folder / "scenario-time")
    clock.set(Utc.parse("2026-05-03T00:00:00Z"))

    async def log() -> None:
        store = MemoryLogStore()
        copy = FileHeadCopy(folder / "log" / "checkpoint")
        sequencer = Sequencer(
            origin=origin_of("node", made["node"]),
            key=made["node"],
            store=store,
            copy=copy,
            timed=TimedKey(made["log"], clock),
        )
        await sequencer.start()
        async with store.transaction() as transaction:
            await sequencer.append(transaction, [b"one", b"two"])
        await sequencer.sign_checkpoint()
        await FileWitnessStore(folder / "log" / "witnessed").bind("the node's witness")

    asyncio.run(log())
    own_certificate(folder / "tls", "127.0.0.1")
    keep_certificate(folder)
    config = load(None, {}, {"node.data": str(folder), "keys.passphrase_file": str(passphrase)})
    keep_counter(config, Counter(number=3, at="2026-05-03T00:00:00Z"))
    server = EmbeddedPostgres(folder / "postgres")
    server.start()
    server.stop()
    yield config
    assert not list(examine_files(config, PASSPHRASE))


@pytest.fixture
def restored(used: Config) -> Iterator[Callable[[str], Path]]:
    """Gives a file to damage, and puts it back."""
    kept: dict[Path, bytes] = {}

    def take(name: str) -> Path:
        file = used.data / name
        kept[file] = file.read_bytes()
        return file

    yield take
    for file, data in kept.items():
        if file.is_symlink() or not file.is_file():
            file.unlink(missing_ok=True)
        file.write_bytes(data)
        file.chmod(0o600)


@service
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("name", FILES)
def test_the_right_file_is_named_and_no_key_is_made(
    used: Config,
    restored: Callable[[str], Path],
    name: str,
    way: Callable[[Path], None],
) -> None:
    file = restored(name)
    way(file)
    damages = list(examine_files(used, PASSPHRASE))
    if (way is missing and name in MAY_BE_MISSING) or ((name, way.__name__) in NOT_IN_THE_BYTES):
        assert not damages
    else:
        assert file in {damage.file for damage in damages}, damages
        # A vault that does not open says nothing of the keys in it, and a lost log key nothing of
        # the head: what else is named lies in the same folder.
        assert {damage.file.parent for damage in damages} <= {file.parent}, damages
        assert all(damage.remedy for damage in damages)
        bad = [
            check
            for check in checks_of(used, examine_files).values()
            if check.name == f"file {name}"
        ]
        assert [(check.state, bool(check.remedy)) for check in bad] == [("bad", True)]
    if name.startswith("keys/"):
        started_with_keys(used, file, way)


def started_with_keys(used: Config, file: Path, way: Callable[[Path], None]) -> None:
    """What a start does with the keys: it names the file and makes no key."""
    count = len(list(used.data.glob("keys/*.key")))

    def start() -> None:
        keys = keys_of(used.data)
        for name, algorithm in OWN:
            keys.make(name, algorithm)

    if way is missing and file.name == "inventory.json":
        # As in a folder of an earlier release: the keys that are there are listed.
        start()
    else:
        with pytest.raises((MalformedInput, Refused)) as caught:
            start()
        assert str(file) in f"{caught.value} {caught.value.where}"
        assert caught.value.remedy
    assert len(list(used.data.glob("keys/*.key"))) == count


@service
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
@pytest.mark.parametrize("name", ["postgres/password", "postgres/cluster/PG_VERSION"])
def test_a_start_names_the_file_of_the_database_at_once(
    used: Config, restored: Callable[[str], Path], name: str, way: Callable[[Path], None]
) -> None:
    way(restored(name))
    server = EmbeddedPostgres(used.data / "postgres")
    try:
        with pytest.raises(ZhidaoError) as caught:
            server.start()
    finally:
        server.stop()
    assert name.rpartition("/")[2] in f"{caught.value} {caught.value.where}"
    assert caught.value.remedy


@service
def test_a_damaged_number_of_backups_is_no_zero(
    used: Config, restored: Callable[[str], Path]
) -> None:
    truncated(restored("log/backups"))
    with pytest.raises(MalformedInput):
        newest_counter(used.data)


def test_a_folder_that_no_node_has_used_has_no_damage(tmp_path: Path) -> None:
    config = load(None, {}, {"node.data": str(tmp_path / "new")})
    assert not list(examine_files(config, None))
    assert not (tmp_path / "new").exists()


def test_a_damaged_time_of_a_demonstration_does_not_begin_anew(tmp_path: Path) -> None:
    file = tmp_path / "scenario-time"
    file.write_text("2026-13")
    with pytest.raises(MalformedInput) as caught:
        KeptClock(file)
    assert str(file) in str(caught.value)


def test_a_state_that_says_nothing_is_named(tmp_path: Path) -> None:
    config = load(None, {}, {"node.data": str(tmp_path)})
    (tmp_path / "node.json").write_text('{"pid": ')
    [damage] = examine_files(config, None)
    assert damage.file == tmp_path / "node.json"


@pytest.mark.parametrize("way", [piped, endless, nested], ids=lambda way: way.__name__)
def test_a_state_that_is_no_state_is_named_and_is_no_node(
    tmp_path: Path, way: Callable[[Path], None]
) -> None:
    config = load(None, {}, {"node.data": str(tmp_path)})
    file = tmp_path / "node.json"
    file.touch()
    way(file)
    checks = checks_of(config, examine_files)
    assert (checks["file node.json"].state, checks["node"].state) == ("bad", "ok")
    assert str(file) in checks["file node.json"].seen


@pytest.mark.parametrize("name", ["keys/party.imp.secp256k1.key", "organisation", "fraud/a/b"])
def test_a_node_does_not_start_where_a_pipe_stands_for_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    passphrase, data = tmp_path / "passphrase", tmp_path / "node"
    passphrase.write_bytes(PASSPHRASE)
    passphrase.chmod(0o600)
    monkeypatch.setenv("ZHIDAO_KEYS_PASSPHRASE_FILE", str(passphrase))
    (data / name).parent.mkdir(mode=0o700, parents=True)
    os.mkfifo(data / name)
    assert main(["serve", "--data", str(data), "--port", "0"]) == 1
    assert f"{data / name} is a named pipe" in capsys.readouterr().err
    assert not (data / "postgres").exists()


def test_a_key_that_gets_another_name_is_not_lost(tmp_path: Path) -> None:
    keys = keys_of(tmp_path)
    keys.make("new.party.maker", Algorithm.ED25519)
    keys.rename("new.party.maker", "party.maker", Algorithm.ED25519)
    again = keys_of(tmp_path)
    assert again.get("new.party.maker", Algorithm.ED25519) is None
    assert again.get("party.maker", Algorithm.ED25519) is not None


def swap(one: Path, other: Path) -> None:
    between = one.with_name("between")
    one.rename(between)
    other.rename(one)
    between.rename(other)


@service
@pytest.mark.parametrize(
    ("one", "other"),
    [("party.maker.ed25519", "custody.ed25519"), ("node.ed25519", "witness.ed25519")],
)
def test_two_key_files_that_changed_places_are_named_and_nothing_is_signed(
    used: Config, one: str, other: str
) -> None:
    files = [used.data / "keys" / f"{name}.key" for name in (one, other)]
    swap(*files)
    try:
        damages = {damage.file: damage for damage in examine_files(used, None)}
        assert set(files) <= set(damages)
        assert f"which is {other}'s" in damages[files[0]].seen
        assert "zhidao keys import" in damages[files[0]].remedy
        with pytest.raises(Refused) as refused:
            keys_of(used.data)
        assert refused.value.code == "key_misplaced"
        assert refused.value.where in map(str, files)
    finally:
        swap(*files)
    keys_of(used.data)
    assert not list(examine_files(used, PASSPHRASE))


def forge(folder: Path, names: dict[str, str], **more: str) -> None:
    """Writes a list of names as whoever may write the folder can: without the passphrase."""
    listed = {**names, **more}
    check = hashlib.sha256(jcs(dict(listed))).hexdigest()
    (folder / "names.json").write_bytes(jcs({**listed, "": check}))


def of_an_earlier_release(folder: Path) -> dict[str, str]:
    """Takes from a folder what only this release writes; returns its list of names."""
    names = json.loads((folder / "names.json").read_bytes())
    del names["tag"], names[""]
    forge(folder, names)
    vault = json.loads((folder / "vault.json").read_bytes())
    salt, nonce = parse_base64url(vault["salt"]), parse_base64url(vault["nonce"])
    wrapping = Scrypt(salt=salt, length=32, n=vault["n"], r=8, p=1).derive(PASSPHRASE)
    sealed = ChaCha20Poly1305(wrapping).encrypt(nonce, b"zhidao vault", None)
    (folder / "vault.json").write_bytes(jcs({**vault, "check": base64url(sealed)}))
    return dict(names)


@pytest.mark.parametrize("way", ["without a tag", "with the former tag", "with a guess", "away"])
def test_a_forged_list_of_names_does_not_let_two_keys_change_places(
    tmp_path: Path, way: str
) -> None:
    keys = keys_of(tmp_path)
    one, other = "party.carrier.ed25519", "party.importer.ed25519"
    for label in (one, other):
        keys.make(label.removesuffix(".ed25519"), Algorithm.ED25519)
    folder = tmp_path / "keys"
    names = json.loads((folder / "names.json").read_bytes())
    tag = names.pop("tag")
    del names[""]
    names[one], names[other] = names[other], names[one]
    swap(folder / f"{one}.key", folder / f"{other}.key")
    if way == "away":
        (folder / "names.json").unlink()
    elif way == "without a tag":
        forge(folder, names)
    else:
        forge(folder, names, tag=tag if way == "with the former tag" else "A" * 43)
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    with pytest.raises(MalformedInput) as refused:
        keys_of(tmp_path)
    assert refused.value.where == str(folder / "names.json")
    assert "zhidao keys list" in refused.value.remedy
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before
    config = load(None, {}, {"node.data": str(tmp_path)})
    assert folder / "names.json" in {d.file for d in examine_files(config, PASSPHRASE)}


@pytest.mark.parametrize("lost", ["nothing", "names.json"])
def test_a_folder_of_an_earlier_release_goes_on_and_is_vouched_for_from_then_on(
    tmp_path: Path, lost: str
) -> None:
    folder = tmp_path / "keys"
    made = keys_of(tmp_path).make("party.maker", Algorithm.ED25519)
    names = of_an_earlier_release(folder)
    (folder / lost).unlink(missing_ok=True)
    found = keys_of(tmp_path).get("party.maker", Algorithm.ED25519)
    assert found is not None
    assert found.public == made.public
    forge(folder, names)
    with pytest.raises(MalformedInput, match=r"names\.json"):
        keys_of(tmp_path)


def test_a_key_that_moves_to_another_partys_next_number_is_named(tmp_path: Path) -> None:
    keys = keys_of(tmp_path)
    keys.make("party.carrier", Algorithm.ED25519)
    keys.make("party.importer", Algorithm.ED25519)
    file = tmp_path / "keys" / "party.importer.ed25519.key"
    file.rename(file.with_name("party.carrier_2.ed25519.key"))
    with pytest.raises(Refused, match=r"has party\.importer\.ed25519's key") as refused:
        keys_of(tmp_path)
    assert refused.value.code == "key_misplaced"


def test_a_copy_of_a_key_under_another_name_is_named(tmp_path: Path) -> None:
    keys_of(tmp_path).make("party.maker", Algorithm.ED25519)
    file = tmp_path / "keys" / "party.maker.ed25519.key"
    file.with_name("party.other.ed25519.key").write_bytes(file.read_bytes())
    with pytest.raises(Refused, match=r"copy of party.maker.ed25519's key"):
        keys_of(tmp_path)


def test_a_key_whose_new_name_was_not_listed_before_a_crash_keeps_it(tmp_path: Path) -> None:
    keys = keys_of(tmp_path)
    made = keys.make("party.maker_next", Algorithm.ED25519)
    file = tmp_path / "keys" / "party.maker_next.ed25519.key"
    inventory = Inventory(file.parent)
    inventory.write((inventory.read() or frozenset()) - {"party.maker_next.ed25519"})
    file.rename(file.with_name("party.maker_2.ed25519.key"))
    found = keys_of(tmp_path).get("party.maker_2", Algorithm.ED25519)
    assert found is not None
    assert found.public == made.public


@service
@pytest.mark.parametrize(
    ("name", "named", "code"),
    [
        ("keys", "keys", "key_missing"),
        ("postgres", "postgres/cluster", "database_missing"),
        ("postgres/cluster", "postgres/cluster", "database_missing"),
        ("tls", "tls/certificate.pem", "certificate_missing"),
        ("tls/certificate.pem", "tls/certificate.pem", "certificate_missing"),
        ("tls/key.pem", "tls/key.pem", "certificate_missing"),
    ],
)
def test_a_lost_folder_is_named_and_a_start_makes_no_empty_one(
    used: Config, tmp_path: Path, name: str, named: str, code: str
) -> None:
    away = tmp_path / "away"
    (used.data / name).rename(away)
    try:
        damages = {damage.file: damage for damage in examine_files(used, PASSPHRASE)}
        assert damages[used.data / named].remedy
        with pytest.raises(Refused) as refused:
            serve(used, passphrase=PASSPHRASE, ready=lambda _: None)
        assert refused.value.code == code
        assert str(used.data / named) in str(refused.value)
        assert refused.value.remedy
        assert not (used.data / name).exists()
    finally:
        away.rename(used.data / name)


def test_a_lost_certificate_is_made_anew_once_its_copy_is_removed(tmp_path: Path) -> None:
    config = load(None, {}, {"node.data": str(tmp_path)})
    first, _ = map(Path, certificate_files(config) or ())
    shown = first.read_bytes()
    shutil.rmtree(first.parent)
    with pytest.raises(Refused) as refused:
        refuse_lost(config)
    copy = tmp_path / "certificate"
    assert refused.value.code == "certificate_missing"
    assert f"remove {copy}" in refused.value.remedy
    assert copy.read_bytes() == shown
    # With plain HTTP, or a certificate of the operator's, nobody knows the node by its own.
    refuse_lost(load(None, {}, {"node.data": str(tmp_path), "http.tls": "off"}))
    copy.unlink()
    refuse_lost(config)
    again, _ = map(Path, certificate_files(config) or ())
    assert again.read_bytes() == copy.read_bytes() != shown


def test_a_first_start_that_was_killed_is_one_still(tmp_path: Path) -> None:
    keys_of(tmp_path).make("node", Algorithm.ED25519)
    config = load(None, {}, {"node.data": str(tmp_path)})
    refuse_lost(config)
    assert not list(examine_files(config, None))


@service
def test_a_database_elsewhere_is_not_missed(used: Config, tmp_path: Path) -> None:
    elsewhere = {"node.data": str(used.data), "database.url": "postgresql://db.example/zhidao"}
    away = tmp_path / "away"
    (used.data / "postgres").rename(away)
    try:
        refuse_lost(load(None, {}, elsewhere))
    finally:
        away.rename(used.data / "postgres")


@service
@pytest.mark.parametrize("name", ["keys/node.ed25519.key", "keys/vault.json", "tls/key.pem"])
@pytest.mark.parametrize("mode", [0o644, 0o660])
def test_a_private_file_that_others_may_use_is_named(used: Config, name: str, mode: int) -> None:
    file = used.data / name
    file.chmod(mode)
    try:
        [damage] = examine_files(used, None)
        assert (damage.file, damage.remedy) == (file, f"chmod 600 {file}")
    finally:
        file.chmod(0o600)


@pytest.mark.parametrize("data", [b"", b"\n", b"\xff\xfe\x00"])
def test_an_organisation_that_is_no_name_is_named(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "organisation"
    file.write_bytes(data)
    [damage] = examine_files(load(None, {}, {"node.data": str(tmp_path)}), None)
    assert damage.file == file


def test_a_data_path_that_is_a_file_or_not_there_is_told(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    for data, state in ((file, "bad"), (file / "node", "bad"), (tmp_path / "none", "warn")):
        config = load(None, {}, {"node.data": str(data)})
        check = checks_of(config, examine_files)["data"]
        assert (check.state, bool(check.remedy)) == (state, True)
