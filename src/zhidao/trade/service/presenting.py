"""Presenting to a bank: one entry becomes a signed set, and the bank reads it from its bytes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.core.access import Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock
from zhidao.core.archive import Archive, digest_of
from zhidao.core.errors import Conflict, Forbidden, MalformedInput, Refused
from zhidao.core.ids import PartyId
from zhidao.core.journal import KeyRing, Records
from zhidao.core.judging import DOCUMENT, IN_PLACE, Judges
from zhidao.core.keys import Signer
from zhidao.core.timescale import Utc
from zhidao.trade.domain.conflicts.compared_set import INVOICES, Evidence
from zhidao.trade.domain.conflicts.table import Comparison, View, compare
from zhidao.trade.domain.documents.formalities import DOCUMENTARY_CREDIT, FORMS
from zhidao.trade.domain.documents.needed import NeededSet, check_papers, main_mode, needed_set
from zhidao.trade.domain.model.consignment import CanonicalConsignment
from zhidao.trade.domain.model.known_codes import SHORT_CODES, KnownCodes
from zhidao.trade.domain.presented_documents import LETTER, PRESENTABLE, announced, credit_of, usual
from zhidao.trade.domain.sanity import check_sane
from zhidao.trade.events import (
    CrossCheckFinding,
    PresentationMade,
    PresentationManifest,
    PresentedDocument,
    PresentedPaper,
    PresentedSet,
)
from zhidao.trade.service.document_set import (
    MadeDocument,
    check_one_invoice,
    make_set,
    read_document,
)
from zhidao.trade.service.validation import Validation
from zhidao.trade.wire import canonical_entry
from zhidao.trade.wire.presentation_file import SignedPresentation, decode, encode, sign

MAY_PRESENT: Final = access(Role.PARTY, relation=Relation.PEER, of="the consignment")

Printer = Callable[[MadeDocument, str], bytes]
"""The PDF/A of a document; the text is the day for one that has none."""
_AGREES: Final = "agree"


@dataclass(frozen=True, slots=True)
class Order:
    """What a party asks for. `kinds`: which documents, none for those that a bank usually sees.

    `despite`: present in spite of conflicts.
    """

    presenter: PartyId
    kinds: Sequence[str] = ()
    despite: bool = False


def present(
    entry: bytes,
    order: Order,
    *,
    signer: Signer,
    at: Utc,
    printer: Printer | None = None,
    codes: KnownCodes = SHORT_CODES,
) -> SignedPresentation:
    """The signed set of an entry.

    The credit of the entry is compared with the documents, but is no part of the set: it is the
    bank's own. Raises Refused (`conflicting_documents`) for a set that a bank would refuse.
    """
    consignment = canonical_entry.read(entry, presented=True, codes=codes)
    check_one_invoice(consignment)
    check_papers(consignment)
    check_sane(consignment, codes)
    needed = needed_set(consignment.values, presented=True)
    chosen = _chosen(order.kinds or usual(needed, main_mode(consignment.values)), needed)
    made = make_set(consignment, [FORMS[kind] for kind in chosen])
    beside = [form for form in needed.forms if form.kind not in chosen]
    if consignment.get(DOCUMENTARY_CREDIT.number_path):
        beside.append(DOCUMENTARY_CREDIT)
    papers = _papers([*made, *make_set(consignment, beside)])
    comparison = compare(Evidence(papers))
    findings = _findings(comparison)
    if not order.despite:
        _refuse_conflicts(findings)
    day = consignment.get("invoiceDocument.issueDate")
    prints = {d.form.kind: printer(d, day) for d in made} if printer else {}
    manifest = PresentationManifest(
        presentation=consignment.get("presentationDocument.id"),
        consignment=consignment.get("id"),
        credit=credit_of(papers[LETTER]),
        presenter=order.presenter,
        bank=consignment.get("issuingBankParty.name"),
        made_at=str(at),
        drawn=consignment.get("presentationDocument.drawnAmount"),
        currency=consignment.get("invoiceDocument.currencyCode"),
        documents=[_named(document, prints) for document in made],
        checks=len(comparison.seen_by(View.BANK)),
        findings=findings,
    )
    contents = {document.digest: document.data for document in made}
    contents |= {digest_of(data): data for data in prints.values()}
    return sign(manifest, contents, signer)


def _chosen(kinds: Sequence[str], needed: NeededSet) -> list[str]:
    """The asked kinds in the order of a set. Raises MalformedInput for any other."""
    made = {form.kind for form in needed.forms}
    there = [kind for kind in PRESENTABLE if kind in made]
    unknown = [*set(kinds).difference(there)]
    if unknown or LETTER not in kinds:
        raise MalformedInput(
            f"cannot present {', '.join(unknown) or 'without a ' + LETTER}",
            code="unknown_kind",
            remedy="choose among " + " ".join(there),
        )
    return [kind for kind in there if kind in kinds]


def _refuse_conflicts(findings: Sequence[CrossCheckFinding]) -> None:
    conflicts = [one for one in findings if one.verdict == "conflict"]
    if not conflicts:
        return
    first = conflicts[0]
    raise Refused(
        f"{len(conflicts)} conflicts that the bank would find; first: {first.sentence}",
        code="conflicting_documents",
        where=f"{first.left} | {first.right}",
        remedy="correct the entry",
    )


def read_presented(data: bytes) -> PresentedSet:
    """A presentation as a bank reads it: signature, digests, documents and checks, all made again.

    Raises MalformedInput or Refused for one that does not hold; findings are no refusal.
    """
    presentation = decode(data)
    papers: dict[str, CanonicalConsignment] = {}
    told = []
    for document in presentation.manifest.documents:
        if document.kind not in PRESENTABLE or document.kind in papers:
            raise MalformedInput(f"no presentable kind, or twice: {document.kind[:40]!r}")
        found = read_document(presentation.contents[document.digest], kind=document.kind)
        number = found.consignment.get(FORMS[document.kind].number_path)
        if not found.is_whole or number != document.number:
            raise Refused(
                f"the {document.kind} is not what the manifest says of it",
                code="unreadable_document",
                where=document.digest,
            )
        papers[document.kind] = found.consignment
        fields = dict(found.consignment.values)
        told.append(
            PresentedPaper(kind=document.kind, number=number, digest=document.digest, fields=fields)
        )
    comparison = compare(Evidence(papers))
    letter = papers.get(LETTER)
    if letter is not None:
        _check_manifest(presentation.manifest, letter)
    return PresentedSet(
        manifest=presentation.manifest,
        key=presentation.key.multikey,
        papers=told,
        checks=len(comparison.seen_by(View.BANK)),
        findings=_findings(comparison),
        missing=[k for k in announced(letter) if k not in papers] if letter else [LETTER],
    )


def _check_manifest(manifest: PresentationManifest, letter: CanonicalConsignment) -> None:
    """What the manifest says of the drawing is what its letter says: a bank pays by either.

    Raises Refused (`manifest_differs`).
    """
    said = {
        "presentation": (manifest.presentation, letter.get("presentationDocument.id")),
        "credit": (manifest.credit, credit_of(letter)),
        "drawn": (manifest.drawn, letter.get("presentationDocument.drawnAmount")),
        "currency": (manifest.currency, letter.get("invoiceDocument.currencyCode")),
    }
    for name, (stated, found) in said.items():
        if stated != found:
            raise Refused(
                f"the manifest says {name} {stated[:40]!r}, and its letter {found[:40]!r}",
                code="manifest_differs",
                where=f"manifest.{name}",
            )


class PresentationService:
    """Implements `trade.commands.Presentations`, and making one on this node."""

    def __init__(
        self,
        *,
        records: Records,
        archive: Archive,
        ring: KeyRing,
        clock: Clock,
        judges: Judges = IN_PLACE,
        validation: Validation | None = None,
        codes: KnownCodes = SHORT_CODES,
    ) -> None:
        self._codes = codes
        self._judges = judges
        # By it each invoice is judged before the set is written; None in tests without rules.
        self._validation = validation
        self._records = records
        self._archive = archive
        self._ring = ring
        self._clock = clock

    async def make(
        self, actor: Actor, entry: bytes, *, bank: PartyId, despite: bool = False
    ) -> PresentationMade:
        """Makes the presentation of an entry for a bank to read; equal content again: the same.

        Raises Forbidden where the node holds no key of the actor's party, Conflict where its
        number stands for another presentation, Refused for one with conflicts, with a value that
        cannot be, or with an invoice that breaks its rules.
        """
        MAY_PRESENT.admit(actor)
        signer = self._ring.signer(actor.party)
        if signer is None:
            raise Forbidden(f"this node holds no key of {actor.party}")
        order = Order(actor.party, despite=despite)
        made = await asyncio.to_thread(
            present, entry, order, signer=signer, at=self._clock.now(), codes=self._codes
        )
        if self._validation is not None:
            await self._validation.unbroken(invoices_in(made))
        aggregate = _aggregate(made.manifest.presentation)
        standing = await self._records.history(aggregate)
        if standing:
            before = PresentationMade.of(standing[-1])
            if (
                _is_same(before.manifest, made.manifest)
                and before.manifest.presenter == actor.party
            ):
                return before
            raise Conflict(f"the number {made.manifest.presentation} stands for another set")
        fact = PresentationMade(manifest=made.manifest, file=await self._archive.put(encode(made)))
        await self._records.record(
            actor, aggregate, [fact], after=0, owner=actor.party, visible=[bank]
        )
        return fact

    async def presented(self, actor: Actor, presentation: str) -> PresentedSet:
        """What a presentation says, read again from its bytes."""
        return await self._judges.run(
            DOCUMENT, read_presented, await self.file(actor, presentation)
        )

    async def file(self, actor: Actor, presentation: str) -> bytes:
        """The signed file. Raises NotFound if the actor may not see it."""
        events = await self._records.history(_aggregate(presentation), actor)
        return await self._archive.get(PresentationMade.of(events[-1]).file)

    async def listed(
        self, actor: Actor, *, limit: int, after: str = ""
    ) -> list[PresentationManifest]:
        """The presentations that the actor may see, by number."""
        names = await self._records.aggregates(
            "presentation/", actor, limit=limit, after=_aggregate(after) if after else ""
        )
        found = await self._records.histories(names, actor)
        return [PresentationMade.of(events[-1]).manifest for events in found]


def invoices_in(made: SignedPresentation) -> list[bytes]:
    """The invoices of a presentation."""
    named = made.manifest.documents
    return [made.contents[each.digest] for each in named if each.kind in INVOICES]


def _aggregate(presentation: str) -> str:
    return f"presentation/{presentation}"


def _is_same(left: PresentationManifest, right: PresentationManifest) -> bool:
    """Whether two manifests speak of the same documents under the same credit."""
    return (left.credit, left.documents) == (right.credit, right.documents)


def _papers(made: Sequence[MadeDocument]) -> Mapping[str, CanonicalConsignment]:
    return {document.form.kind: document.absorbed.consignment for document in made}


def _named(document: MadeDocument, prints: Mapping[str, bytes]) -> PresentedDocument:
    data = prints.get(document.form.kind)
    return PresentedDocument(
        kind=document.form.kind,
        number=document.number,
        media_type=document.form.media_type,
        digest=document.digest,
        printed=digest_of(data) if data else "",
    )


def _findings(comparison: Comparison) -> list[CrossCheckFinding]:
    return [
        CrossCheckFinding(
            rule=answer.rule,
            verdict=answer.answer.value,
            sentence=answer.sentence,
            left=answer.left,
            right=answer.right,
        )
        for answer in comparison.seen_by(View.BANK)
        if answer.answer.value != _AGREES
    ]
