"""One entry, all documents: made, read back and compared before anybody else sees them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from zhidao.core.errors import MalformedInput, Refused
from zhidao.trade.domain.documents.formalities import FORMS
from zhidao.trade.domain.documents.invoices import INVOICE_CII, INVOICE_UBL
from zhidao.trade.domain.documents.mapping import Absorbed, DocumentForm, absorb, project
from zhidao.trade.domain.documents.needed import needed_set, said_in
from zhidao.trade.domain.documents.of_others import (
    CREDIT_CODES,
    CREDIT_NOTE_CII,
    CREDIT_NOTE_UBL,
    with_terms_in_place,
    with_unit_prices,
)
from zhidao.trade.domain.model.consignment import CanonicalConsignment
from zhidao.trade.wire import leaves


@dataclass(frozen=True, slots=True)
class MadeDocument:
    """A document's machine form with what reading it back gave. `digest`: SHA-256, hex."""

    form: DocumentForm
    number: str
    data: bytes
    digest: str
    absorbed: Absorbed

    @property
    def file_name(self) -> str:
        """A file's name for it."""
        return f"{self.form.kind}.{self.form.syntax.value}"


def make_set(
    consignment: CanonicalConsignment, forms: Iterable[DocumentForm] | None = None
) -> list[MadeDocument]:
    """The documents of a consignment, each read back whole; by default those that it needs.

    Raises Refused for a document that says something else than the consignment: it is a defect of
    ours and must not leave the house.
    """
    chosen = needed_set(consignment.values).forms if forms is None else forms
    return [_made(said_in(consignment, form), form) for form in chosen]


def check_one_invoice(consignment: CanonicalConsignment) -> None:
    """Refuses an entry of several invoices where a set is made, which has one of each kind.

    Raises Refused (`several_invoices`).
    """
    if consignment.has_more_invoices:
        raise Refused(
            f"the items of {consignment.get('id')} stand on several invoices, a set has one",
            code="several_invoices",
            where="invoiceDocument.id",
            remedy="make a set of an entry for each invoice; a consignment takes them together",
        )


def read_document(data: bytes, *, kind: str) -> Absorbed:
    """What a document says, with the places that no field stands for.

    Raises MalformedInput for an unknown kind and for what is no such document.
    """
    form = FORMS.get(kind)
    if form is None:
        raise MalformedInput(
            f"no document kind {kind[:40]!r}",
            code="unknown_kind",
            remedy="one of " + " ".join(FORMS),
        )
    said = with_terms_in_place(leaves.decode(data, form), form)
    return absorb(said, form, digest=hashlib.sha256(data).hexdigest())


def read_of_others(data: bytes, *, kind: str) -> Absorbed:
    """What a document says that somebody else's system may have made.

    Of invoices and credit notes nothing is a reason to refuse the rest: a value that no field takes
    is among the unmapped places, with a misfit that says why. Other kinds are read as our own.
    Raises MalformedInput as `read_document` does.
    """
    form = OF_OTHERS.get(kind)
    if form is None:
        return read_document(data, kind=kind)
    said = with_unit_prices(with_terms_in_place(leaves.decode(data, form), form))
    if str(said.get(_CII_TYPE, "")) in CREDIT_CODES:
        form = CREDIT_NOTE_CII
    digest = hashlib.sha256(data).hexdigest()
    return absorb(said, form, digest=digest, by_others=True)


OF_OTHERS: Final = {
    form.kind: form for form in (INVOICE_UBL, INVOICE_CII, CREDIT_NOTE_UBL, CREDIT_NOTE_CII)
}
_CII_TYPE: Final = "rsm:ExchangedDocument/ram:TypeCode"


def rewrite(found: Absorbed) -> bytes:
    """The canonical bytes of a document that was read."""
    form = FORMS[found.kind]
    return leaves.encode(project(found.consignment, form), form)


def _made(consignment: CanonicalConsignment, form: DocumentForm) -> MadeDocument:
    data = leaves.encode(project(consignment, form), form)
    found = read_document(data, kind=form.kind)
    said = found.consignment.values
    different = next((p for p, text in said.items() if consignment.get(p) != text), None)
    if different is not None or not found.is_whole:
        place = different or [*found.unmapped, *(m.place for m in found.misfits)][0]
        raise Refused(
            f"the {form.kind} does not read back as it was entered",
            code="not_reversible",
            where=place,
            remedy="report it with the entry",
        )
    return MadeDocument(
        form=form,
        number=consignment.get(form.number_path),
        data=data,
        digest=hashlib.sha256(data).hexdigest(),
        absorbed=found,
    )
