"""What an account's holder is told of one entry: references, both sides, banks, remittance.

The same in a statement (camt.053), a report (camt.052) and a notice (camt.054), so that a program
matches invoices by any of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from zhidao.finance.domain.payments.message import Tree
from zhidao.finance.domain.payments.statement import EntryDetails
from zhidao.finance.wire.iso20022.syntax.framing import Frame
from zhidao.finance.wire.iso20022.syntax.trees import EMPTY, agent_xml, optional, tree_of, xml_of

if TYPE_CHECKING:
    from lxml.etree import _Element


class OfEntry(Protocol):
    """What is told of an entry, whoever tells it."""

    @property
    def instruction(self) -> str:
        """InstrId."""
        ...

    @property
    def end_to_end(self) -> str:
        """EndToEndId."""
        ...

    @property
    def payer(self) -> Tree:
        """Dbtr."""
        ...

    @property
    def payer_account(self) -> Tree:
        """DbtrAcct."""
        ...

    @property
    def payer_bank(self) -> Tree:
        """DbtrAgt."""
        ...

    @property
    def payee(self) -> Tree:
        """Cdtr."""
        ...

    @property
    def payee_account(self) -> Tree:
        """CdtrAcct."""
        ...

    @property
    def payee_bank(self) -> Tree:
        """CdtrAgt."""
        ...

    @property
    def remittance(self) -> Tree:
        """RmtInf."""
        ...


def references(one: OfEntry | None, uetr: str) -> str:
    """`Refs`, or nothing where there are none."""
    inside = optional("UETR", uetr)
    if one is not None:
        inside = (
            optional("InstrId", one.instruction) + optional("EndToEndId", one.end_to_end) + inside
        )
    return f"<Refs>{inside}</Refs>" if inside else ""


def sides(one: OfEntry) -> str:
    """`RltdPties`, `RltdAgts` and `RmtInf`, as far as they are known."""
    people = (
        _party("Dbtr", one.payer)
        + _account("DbtrAcct", one.payer_account)
        + _party("Cdtr", one.payee)
        + _account("CdtrAcct", one.payee_account)
    )
    banks = agent_xml("DbtrAgt", one.payer_bank) + agent_xml("CdtrAgt", one.payee_bank)
    remittance = xml_of(one.remittance) if one.remittance else ""
    return _in("RltdPties", people) + _in("RltdAgts", banks) + _in("RmtInf", remittance)


def read_details(parts: dict[str, _Element], frame: Frame) -> EntryDetails:
    """What the parts of a `TxDtls` tell."""
    names = frame.texts(parts["Refs"]) if "Refs" in parts else {}
    people = frame.parts(parts["RltdPties"]) if "RltdPties" in parts else {}
    banks = frame.parts(parts["RltdAgts"]) if "RltdAgts" in parts else {}
    remittance = parts.get("RmtInf")
    return EntryDetails(
        instruction=names.get("InstrId", ""),
        end_to_end=names.get("EndToEndId", ""),
        payer=_first(people.get("Dbtr"), frame),
        payer_account=_first(people.get("DbtrAcct"), frame),
        payer_bank=_first(banks.get("DbtrAgt"), frame),
        payee=_first(people.get("Cdtr"), frame),
        payee_account=_first(people.get("CdtrAcct"), frame),
        payee_bank=_first(banks.get("CdtrAgt"), frame),
        remittance=EMPTY if remittance is None else tree_of(remittance, frame.start),
        returned=frame.code(parts.get("RtrInf"), "Rsn") if "RtrInf" in parts else "",
    )


def _first(element: _Element | None, frame: Frame) -> Tree:
    return EMPTY if element is None else tree_of(element[0], frame.start)


def _in(name: str, inside: str) -> str:
    return f"<{name}>{inside}</{name}>" if inside else ""


def _party(name: str, tree: Tree) -> str:
    return f"<{name}><Pty>{xml_of(tree)}</Pty></{name}>" if tree else ""


def _account(name: str, tree: Tree) -> str:
    return f"<{name}><Id>{xml_of(tree)}</Id></{name}>" if tree else ""
