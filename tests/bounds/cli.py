"""Bounds of the command line: what its commands read, and numbers among their options."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from tests.bounds.case import Case, file_of_spaces

from zhidao.cli.console import callers, certificates, numbers, private_keys, profiles, remote
from zhidao.cli.finance import passport
from zhidao.cli.industry import goods_trace, order
from zhidao.cli.insight import log_source
from zhidao.cli.operations import demo
from zhidao.cli.operations.backups import restore
from zhidao.cli.positioning import simulate, stream
from zhidao.cli.trade import check, codes, declare, document_set, journey, origin
from zhidao.cli.trust import credential, did, log, title_tag


def options_of(**given: object) -> Namespace:
    """Options of a command; those that are not given are not set."""
    unset = dict.fromkeys(
        "trust output json out pdf list record log witnesses form now contexts evidence at".split()
    )
    return Namespace(**{**unset, **given})


def passphrase(file: Path) -> object:
    key = file.with_suffix(".key")
    key.write_text("no key")
    key.chmod(0o600)
    return private_keys.signing_key(key, file, why="")


CASES = (
    file_of_spaces(
        "cli.console.callers._PASSWORD_BYTES_MAX",
        lambda file: callers.password_of(options_of(password_file=file, person="a")),
    ),
    file_of_spaces("cli.console.certificates._CERTIFICATE_BYTES_MAX", certificates.trusting),
    file_of_spaces(
        "cli.industry.goods_trace._DOCUMENT_BYTES_MAX",
        lambda file: goods_trace._hash(options_of(file=file)),
    ),
    Case("cli.industry.order._SERIALS_MAX", lambda n: order._serials("SN-00001", n)),
    file_of_spaces("cli.console.profiles._FILE_BYTES_MAX", profiles.parsed),
    Case("cli.console.numbers._SEED_MAX", lambda n: numbers.seed(str(n))),
    file_of_spaces(
        "cli.console.remote._TOKEN_BYTES_MAX",
        lambda file: remote.RemoteNode(
            options_of(token_file=file, url="https://a.example", ca=None)
        ),
    ),
    file_of_spaces(
        "cli.finance.passport._BYTES_MAX",
        lambda file: passport.run_verify(options_of(file=file, audience="a", nonce="n", json=True)),
    ),
    file_of_spaces(
        "cli.insight.log_source.PROOF_BYTES_MAX",
        lambda file: log_source.of_log(options_of(proof=[file]), lambda log: log.opened(None)),
    ),
    file_of_spaces(
        "cli.operations.demo.FILE_BYTES_MAX", lambda file: demo._site(str(file)), suffix=".geojson"
    ),
    Case(
        "cli.operations.demo._PACE_S_MAX",
        lambda n: demo._check(options_of(pace=n, port=-1)),
    ),
    Case(
        "cli.operations.demo._PORT_MAX",
        lambda n: demo._check(options_of(pace=0, port=n, data=None, output=None)),
    ),
    Case("cli.operations.demo._SITE_RADIUS_M_MAX", lambda n: demo._site(f"1,2,{n}")),
    file_of_spaces(
        "cli.operations.backups.restore._IDENTITY_BYTES_MAX",
        lambda file: restore.archive_of(options_of(identity=file, archive=file, unsigned=True)),
    ),
    file_of_spaces(
        "cli.positioning.simulate._BYTES_MAX",
        lambda file: simulate._navigation(options_of(navigation=file), None),  # type: ignore[arg-type]
    ),
    Case(
        "cli.positioning.simulate._EPOCHS_MAX",
        lambda n: simulate._route(options_of(at=[(1.0, 2.0, 3.0)], epochs=n, mask=-1)),
    ),
    file_of_spaces(
        "cli.positioning.stream._LOGIN_BYTES_MAX",
        lambda file: stream._client(options_of(login=file), None),  # type: ignore[arg-type]
    ),
    file_of_spaces(
        "cli.trade.check._BYTES_MAX",
        lambda file: check.run(options_of(given=[file], files=[file], packs=None, engine="own")),
    ),
    Case("cli.trade.check._FILES_MAX", lambda n: check._files([Path("a.xml")] * n), 6),
    file_of_spaces("cli.trade.codes._LIST_BYTES_MAX", codes._text),
    file_of_spaces(
        "cli.trade.declare._BYTES_MAX",
        lambda file: declare.run(
            options_of(
                declaration=file, rules=file, export=True, list_date="2026-01-01", rerun=None
            )
        ),
    ),
    file_of_spaces(
        "cli.trade.document_set.ENTRY_BYTES_MAX",
        lambda file: document_set.run(
            options_of(entry=file, view="all", language="en", bill=[], rules=[])
        ),
    ),
    file_of_spaces(
        "cli.trade.journey._BYTES_MAX",
        lambda file: journey.run(options_of(plan=file, events=[])),
    ),
    file_of_spaces(
        "cli.trade.origin.BYTES_MAX",
        lambda file: origin.rules_of(options_of(rules=[f"RCEP={file}"])),
    ),
    file_of_spaces(
        "cli.trust.credential._FILE_BYTES_MAX",
        lambda file: credential.run(options_of(file=file, contexts=None, at="no time")),
    ),
    file_of_spaces(
        "cli.trust.did._BYTES_MAX",
        lambda file: did._document(options_of(did="did:web:a.example", document=file)),
    ),
    file_of_spaces("cli.trust.log._NOTE_BYTES_MAX", lambda file: log._kept(file, None)),  # type: ignore[arg-type]
    file_of_spaces(
        "cli.trust.title_tag._DOCUMENT_BYTES_MAX", lambda file: title_tag._digest(str(file))
    ),
    file_of_spaces(
        "cli.console.private_keys._KEY_BYTES_MAX",
        lambda file: private_keys.signing_key(file, None, why=""),
    ),
    file_of_spaces("cli.console.private_keys._PASSPHRASE_BYTES_MAX", passphrase),
)
