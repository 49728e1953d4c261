"""What the trust room tells the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import msgspec

from zhidao.core.events import Fact


@dataclass(frozen=True, slots=True)
class Presented:
    """What a presentation showed. `issuer`: its did:key; `is_own`: this node's key in force."""

    issuer: str
    is_own: bool
    claims: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class UntpEnvelope:
    """What makes a credential one of UNTP: its type, its title, the issuer's name for people."""

    type: str
    title: str
    issuer_name: str


class CredentialIssued(Fact, frozen=True, kw_only=True):
    """A W3C credential was issued over a document. Aggregate `credential/<uuid of its id>`.

    `digest` names the credential's bytes in the archive, `document` the bytes that it is about.
    """

    TYPE: ClassVar[str] = "trust.CredentialIssued.v1"
    digest: str
    issuer: str
    subject: str
    kind: str
    document: str
    cryptosuite: str


class StatusAssigned(Fact, frozen=True, kw_only=True):
    """A credential (its id) got a bit in a status list of its issuer.

    Aggregate `status/<party>`, of the lists after the first `status/<party>/<number from 2>`.
    """

    TYPE: ClassVar[str] = "trust.StatusAssigned.v1"
    credential: str
    index: int


class CredentialRevoked(Fact, frozen=True, kw_only=True):
    """An issuer took a credential back, for ever. Aggregate: that of the list with its bit.

    Open: whoever holds the credential must be able to see it, and an index names nobody.
    """

    TYPE: ClassVar[str] = "trust.CredentialRevoked.v1"
    OPEN: ClassVar[bool] = True
    credential: str
    index: int
    reason: str


class ChainTransaction(Fact, frozen=True, kw_only=True):
    """A signed transaction for this node's chain: logged whole first, then executed.

    Aggregate `chain/<chain id>`. `raw`: EIP-1559 bytes, lower-case hex. `purpose` and `title`
    tell a reader what it is for; the chain looks at `raw` only.
    """

    TYPE: ClassVar[str] = "trust.ChainTransaction.v1"
    OPEN: ClassVar[bool] = True
    chain_id: int
    raw: str
    hash: str
    purpose: str
    title: str


class SettledTitle(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A title as a transaction on a chain of others left it. Addresses are lower-case `0x…`."""

    title: str
    escrow: str
    holder: str
    beneficiary: str
    nominee: str
    surrendered: bool
    active: bool


class ChainSettled(Fact, frozen=True, kw_only=True):
    """What is final on a chain of others. Aggregate `settled/<chain id>`. Public.

    `hash`: of the transaction; `foreign`: this node did not write it, so `sender`, `to` and `data`
    (hex; `` where this node's log holds the signed bytes, or where it is too long) are the chain's
    word. `at_s`: Unix time of its block; `fee_wei`: what the sender paid. `code` and `reason`: why
    it had no effect, else ``. `block_hash` is `` for what another transaction took the number of.
    """

    TYPE: ClassVar[str] = "trust.ChainSettled.v1"
    OPEN: ClassVar[bool] = True
    chain_id: int
    hash: str
    block: int
    block_hash: str
    at_s: int
    sender: str
    nonce: int
    to: str
    data: str
    gas_used: int
    fee_wei: str
    created: str
    foreign: bool
    code: str
    reason: str
    titles: list[SettledTitle]


class TitleMoved(Fact, frozen=True, kw_only=True):
    """What the executed transaction did. Aggregate `title/<token id>`.

    `action`: mint, transfer, nominate, endorse, reject, surrender, restore, burn.
    """

    TYPE: ClassVar[str] = "trust.TitleMoved.v1"
    title: str
    registry: str
    chain_id: int
    action: str
    transaction: str
    holder: str
    beneficiary: str
    holder_party: str
    beneficiary_party: str


class TitleAsked(Fact, frozen=True, kw_only=True):
    """A party asks for the title of a document. Aggregate `title/<token id>`; its owner mints."""

    TYPE: ClassVar[str] = "trust.TitleAsked.v1"
    title: str
    consignment: str
    holder: str
    readers: list[str]


class TitleRegistered(Fact, frozen=True, kw_only=True):
    """A title stands under the tag of its bill. Aggregate `titletag/<tag>`; open to everybody.

    `issuer`: the key of the carrier (Multikey) that made the tag; `claim`: its signature over the
    other fields, base64url. Both `` in the first version, where the asserting key made the tag.
    """

    TYPE: ClassVar[str] = "trust.TitleRegistered.v2"
    FORMER: ClassVar[Mapping[str, Mapping[str, Any]]] = {
        "trust.TitleRegistered.v1": {"issuer": "", "claim": ""}
    }
    OPEN: ClassVar[bool] = True
    tag: str
    title: str
    registry: str
    chain_id: int
    issuer: str
    claim: str


class TitleTagOpened(Fact, frozen=True, kw_only=True):
    """What shows a holder that a tag is his bill's. Aggregate `registration/<token id>`.

    `opening`: the issuer's signature, base64url; `issuer`: its key as Multikey.
    """

    TYPE: ClassVar[str] = "trust.TitleTagOpened.v1"
    tag: str
    title: str
    carrier_code: str
    number: str
    issuer: str
    opening: str


class CustodyOpened(Fact, frozen=True, kw_only=True):
    """An account was set aside to hold a title for a deal. Aggregate `title/<token id>`.

    `from_party` is where the title goes back to if the deal is aborted.
    """

    TYPE: ClassVar[str] = "trust.CustodyOpened.v1"
    title: str
    deal: str
    account: str
    from_party: str


class MediumChanged(Fact, frozen=True, kw_only=True):
    """From this leaf on a bill's former medium has no effect. Aggregate `medium/<title>`. Public.

    Said by the issuer. `change`: `to_paper` (the title is burnt after it) or `to_token` (the title
    is minted after it). The same fact stands before it as the claim on the paper, in the aggregate
    `paper/<SHA-256 of registry, carrier and paper>`; older claims stand under `medium/<paper>`.
    `paper`: SHA-256 of the paper's text or scan; `statement`: what is put on the new medium.
    """

    TYPE: ClassVar[str] = "trust.MediumChanged.v1"
    OPEN: ClassVar[bool] = True
    change: str
    title: str
    paper: str
    holder: str
    statement: str


class AccountNamed(Fact, frozen=True, kw_only=True):
    """Whose account on the chain an address is. Aggregate `account/<address>`."""

    TYPE: ClassVar[str] = "trust.AccountNamed.v1"
    account: str
    party: str
    chain_id: int


class KeyRotated(Fact, frozen=True, kw_only=True):
    """A party goes over from one signing key to another. Aggregate `keys/<party>`. Public.

    Said by the former key. `possession`: the new key's signature over both, base64url; keys are
    Multikeys.
    """

    TYPE: ClassVar[str] = "trust.KeyRotated.v1"
    OPEN: ClassVar[bool] = True
    party: str
    former: str
    key: str
    possession: str
    reason: str


class KeyRevoked(Fact, frozen=True, kw_only=True):
    """Nothing that a party's key says counts from `since` on. Aggregate `keys/<party>`. Public.

    Said by another key of the party, or by the node. `since`: UTC, not after the event.
    """

    TYPE: ClassVar[str] = "trust.KeyRevoked.v1"
    OPEN: ClassVar[bool] = True
    party: str
    key: str
    since: str
    reason: str


class LogKeyDeclared(Fact, frozen=True, kw_only=True):
    """The operator declares a new log after a recovery. Aggregate `log/<origin>`. Public.

    The new log (`origin`, `key` as multikey) begins with the `carried_leaves` leaves of the former
    one that the node still has, whose root is `carried_root` (hex). `known_leaves`, `known_root`
    and `known_head` (the signed note) are the former log's last known head; 0 and `` where no copy
    of it could be read. `possession`: the new key's signature over all of this, base64url.
    """

    TYPE: ClassVar[str] = "trust.LogKeyDeclared.v1"
    OPEN: ClassVar[bool] = True
    origin: str
    key: str
    former_origin: str
    former_key: str
    carried_leaves: int
    carried_root: str
    known_leaves: int
    known_root: str
    known_head: str
    reason: str
    possession: str


class Title(msgspec.Struct, frozen=True, kw_only=True):
    """A title as it stands. Addresses are lower-case `0x…`; parties `` where unknown.

    `title` is the token id (hex, 32 bytes: SHA-256 of the bill of lading), `custody` the deal that
    holds it, or ``.
    """

    title: str
    registry: str
    chain_id: int
    consignment: str
    holder: str
    beneficiary: str
    holder_party: str
    beneficiary_party: str
    custody: str
    active: bool
    transactions: list[str]


class CustodyAsked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a registry asks a holder at another node to sign: its title into a deal's custody.

    All addresses of the registry follow from its `registrar`; `nonce` counts the holder's
    transactions on that chain.
    """

    title: str
    deal: str
    registrar: str
    custody: str
    chain_id: int
    nonce: int


class Appended(msgspec.Struct, frozen=True, kw_only=True):
    """Where leaves went: indexes `first` to `size - 1`, and the root over all `size` leaves."""

    first: int
    size: int
    root: bytes
