"""Whose keys a command of insight accepts, and when it judges: options, and trust's own parts."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from zhidao.cli.console.node_options import add_settings, config_of, passphrase_of
from zhidao.cli.console.outputs import take
from zhidao.cli.console.private_keys import signing_key
from zhidao.core.errors import MalformedInput, Refused

if TYPE_CHECKING:
    from zhidao.core.canonical import Json
    from zhidao.core.keys import Signer
    from zhidao.core.timescale import Utc
    from zhidao.insight.library.declarations import Trusted

_DID: Final = "did:key:"


def add_trusted(parser: argparse.ArgumentParser) -> None:
    """Adds --signatory and --at."""
    parser.add_argument(
        "--signatory",
        action="append",
        default=[],
        metavar="[NAME=]KEY",
        help="a signer's key that you compared with its owner, for that name or for any",
    )
    parser.add_argument(
        "--at", metavar="TIME", help="judge signatures as of then (RFC 3339, UTC), not now"
    )


def trusted_by(options: argparse.Namespace) -> Trusted:
    """By what signed declarations are judged. Raises MalformedInput for what is no key or time."""
    from zhidao.insight.library.declarations import Trusted

    at = moment(options.at)
    return Trusted(verify, at, accepted_keys(options.signatory))


def accepted_keys(texts: list[str]) -> dict[str, str]:
    """The did:key of each key that was typed -> the name for which it is accepted, or empty."""
    return dict(_accepted(each) for each in texts)


def add_signer(parser: argparse.ArgumentParser) -> None:
    """Adds --key, --passphrase-file, --party, --config, --data and --json."""
    parser.add_argument("--key", type=Path, metavar="FILE", help="Ed25519, PKCS #8 PEM")
    parser.add_argument(
        "--passphrase-file", type=Path, metavar="FILE", help="if that key is sealed"
    )
    parser.add_argument("--party", help="instead: the key of a party, of `zhidao keys list`")
    add_settings(parser)


def signer_of(options: argparse.Namespace) -> Signer:
    """The key that these options name. Raises MalformedInput for none, Refused for none there."""
    if bool(options.key) == bool(options.party):
        raise MalformedInput(
            "who signs?", remedy="give --key FILE of a person, or --party NAME with --data"
        )
    if options.key:
        return signing_key(
            options.key,
            options.passphrase_file,
            why="a declaration is signed by eddsa-jcs-2022: openssl genpkey -algorithm ed25519",
        )
    from zhidao.core.keys import Algorithm
    from zhidao.node.library import key_files

    config = config_of(options)
    # Looking must make no keys.
    if (config.data / "keys").is_dir():
        keys = key_files(config.data, passphrase_of(config))
        if held := keys.of_party(options.party, Algorithm.ED25519):
            return held[-1]
    raise Refused(
        f"no key of {options.party} in {config.data}", code="no_key", remedy="zhidao keys list"
    )


def moment(text: str | None) -> Utc:
    """An instant that was typed, or now."""
    from zhidao.core.timescale import Utc
    from zhidao.node.library import system_clock

    return Utc.parse(text) if text else system_clock().now()


def declared(files: list[Path]) -> dict[str, bytes]:
    """The bytes of files of declarations, by their names."""
    from zhidao.insight.library.assessments import DECLARATION_BYTES_MAX

    return {str(file): take(file, bytes_max=DECLARATION_BYTES_MAX) for file in files}


def _accepted(text: str) -> tuple[str, str]:
    from zhidao.core.keys import PublicKey

    name, _, key = text.rpartition("=")
    try:
        return _DID + PublicKey.from_multikey(key.removeprefix(_DID)).multikey, name.strip()
    except MalformedInput as error:
        error.where = "--signatory"
        error.remedy = error.remedy or "zhidao insight declaration show tells the signer's key"
        raise


def verify(credential: bytes, at: Utc) -> str:
    """Empty where a credential's proof holds at that moment, by nothing but its own bytes."""
    from zhidao.trust.service.credentials.verification import CredentialVerifier

    verdict = CredentialVerifier().verify(credential, at)
    return "" if verdict.holds else f"{verdict.sentence} ({verdict.code})"


class SigningKey:
    """A person's key as insight uses it."""

    def __init__(self, signer: Signer) -> None:
        from zhidao.trust.wire.identifiers.did import did_key

        self._signer = signer
        self.key = did_key(signer.public)

    def __call__(self, document: dict[str, Json], at: Utc) -> dict[str, Any]:
        """The document with a proof. Raises MalformedInput for a credential that is none."""
        from zhidao.trust.domain.credential import check_credential
        from zhidao.trust.wire.credentials.data_integrity import secure
        from zhidao.trust.wire.identifiers.did import key_method

        check_credential(document)
        method = key_method(self._signer.public)
        return secure(document, signer=self._signer, method=method, created=at)
