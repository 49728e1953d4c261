"""What the exchange room tells the others."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from zhidao.core.events import Fact


class PeerAdmitted(Fact, frozen=True, kw_only=True):
    """An operator admitted a node as a peer. Aggregate `peer/<node>`.

    `card`: SHA-256 of its signed card; `trust`: the trust list that gives the node its keys.
    `replaced`: keys of the peer of that name whose place these took, because an operator said so.
    """

    TYPE: ClassVar[str] = "exchange.PeerAdmitted.v1"
    peer: str
    url: str
    card: str
    keys: list[str]
    trust: str
    replaced: list[str] = msgspec.field(default_factory=list)


class PeerKeysLearned(Fact, frozen=True, kw_only=True):
    """A peer went over to other keys, as its own log proves. Aggregate `peer/<node>`.

    `keys`: all that it has from now on; `proof`: SHA-256 of the proof, which the archive holds.
    """

    TYPE: ClassVar[str] = "exchange.PeerKeysLearned.v1"
    peer: str
    keys: list[str]
    proof: str


class PeerDismissed(Fact, frozen=True, kw_only=True):
    """An operator ended the exchange with a peer. Aggregate `peer/<node>`."""

    TYPE: ClassVar[str] = "exchange.PeerDismissed.v1"
    peer: str


class DocumentSent(Fact, frozen=True, kw_only=True):
    """A document was sealed for a peer and put into the outbox. Aggregate `outgoing/<document>`.

    `digest` is the commitment in the envelope, SHA-256 over salt and content; `content` is
    SHA-256 of the content alone.
    """

    TYPE: ClassVar[str] = "exchange.DocumentSent.v1"
    document: str
    recipient: str
    from_party: str
    to_party: str
    consignment: str
    sequence: int
    kind: str
    media_type: str
    digest: str
    content: str


class ReceiptTaken(Fact, frozen=True, kw_only=True):
    """A peer's signed receipts came in for a document of ours. Aggregate `outgoing/<document>`.

    `stage` is the furthest of them: received, accepted or decided. `outcome`: accepted or refused,
    with `code` and `reason` as the peer said them. `receipts`: SHA-256 of each signed receipt.
    """

    TYPE: ClassVar[str] = "exchange.ReceiptTaken.v1"
    document: str
    recipient: str
    stage: str
    outcome: str
    code: str
    reason: str
    receipts: list[str]


class DocumentReceived(Fact, frozen=True, kw_only=True):
    """A peer's envelope is durable here, and waits for one before it.

    Aggregate `incoming/<sender>/<document>`.
    """

    TYPE: ClassVar[str] = "exchange.DocumentReceived.v1"
    document: str
    sender: str
    to_party: str
    consignment: str
    sequence: int
    kind: str
    digest: str


class DocumentAccepted(Fact, frozen=True, kw_only=True):
    """A peer's document was opened in its order. Aggregate `incoming/<sender>/<document>`.

    `content` is SHA-256 of the content, under which the archive holds it.
    """

    TYPE: ClassVar[str] = "exchange.DocumentAccepted.v1"
    document: str
    sender: str
    from_party: str
    to_party: str
    consignment: str
    sequence: int
    kind: str
    media_type: str
    digest: str
    content: str


class DocumentDecided(Fact, frozen=True, kw_only=True):
    """Somebody decided about a peer's document, or it could not be accepted.

    Aggregate `incoming/<sender>/<document>`. `outcome`: accepted or refused.
    """

    TYPE: ClassVar[str] = "exchange.DocumentDecided.v1"
    document: str
    sender: str
    outcome: str
    code: str
    reason: str


class DeliveryConflicted(Fact, frozen=True, kw_only=True):
    """A peer sent other content under the name of a document that stands already.

    Aggregate `conflict/<sender>/<document>/<digest>`.
    """

    TYPE: ClassVar[str] = "exchange.DeliveryConflicted.v1"
    document: str
    sender: str
    digest: str
    standing_digest: str


class FactsShared(Fact, frozen=True, kw_only=True):
    """Facts of a consignment went to a peer in a document. Aggregate `shared/<peer>/<consignment>`.

    `events`: ids of those that the peer did not have. `home`: the peer writes the consignment's
    history from now on. Aggregate `home/<consignment>`, without events: written down before any of
    it goes; `document` is the one that will end it, and this node as `peer` takes that back.
    """

    TYPE: ClassVar[str] = "exchange.FactsShared.v1"
    consignment: str
    peer: str
    document: str
    events: list[str]
    home: bool


class FactsAdopted(Fact, frozen=True, kw_only=True):
    """A peer's facts stand in this node's histories too. Aggregate `adopted/<consignment>`.

    `proof`: SHA-256 of the peer's proof that they are in its log, which the archive holds.
    """

    TYPE: ClassVar[str] = "exchange.FactsAdopted.v1"
    consignment: str
    sender: str
    document: str
    proof: str
    events: int


class DocumentLook(msgspec.Struct, frozen=True, kw_only=True):
    """What a document is by its bytes: its name in two languages, its number, what rules say.

    Both names are empty where nobody knows the document. `verdict`: valid, invalid, undecided,
    partly_judged, not_checked, or none where no rules are for such documents; `summary` says why.
    """

    en: str = ""
    zh: str = ""
    number: str = ""
    verdict: str = "none"
    summary: str = ""
    media_type: str = ""
    size: int = 0


class Exchanged(msgspec.Struct, frozen=True, kw_only=True):
    """What a document bears on either side of an exchange, and the last word about it."""

    document: str
    from_party: str
    to_party: str
    consignment: str
    sequence: int
    kind: str
    media_type: str
    digest: str
    content: str
    state: str
    outcome: str
    code: str
    reason: str


class Dispatch(Exchanged, frozen=True, kw_only=True):
    """A document of ours on its way. `state`: waiting, received, accepted, decided or dead.

    `outcome`, `code` and `reason` are the peer's last word, or why sending fails.
    """

    recipient: str
    attempts: int
    created_at: str


class Delivery(Exchanged, frozen=True, kw_only=True):
    """A peer's document here. `state`: held (its predecessor is missing), accepted or decided."""

    sender: str
    received_at: str
