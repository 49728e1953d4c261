"""Every paper reads back as it was written, and reading refuses all else with its place."""

from __future__ import annotations

import contextlib
import importlib.util
import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput
from zhidao.trade.domain.invoice import invoices_of
from zhidao.trade.domain.papers import origin_statement_of, packing_list_of
from zhidao.trade.wire import bill_of_lading, entry, origin_statement, packing_list, ubl_invoice

_SPEC = importlib.util.spec_from_file_location(
    "trade_papers", Path(__file__).parents[1] / "papers.py"
)
papers = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(papers)

few = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
CODECS = (entry, ubl_invoice, packing_list, origin_statement, bill_of_lading)


@few
@given(papers.entries())
def test_entry_invoice_packing_list_and_origin_statement_read_back_equal(value):
    assert entry.read(entry.write(value)) == value
    invoice = invoices_of(value)[0]
    assert ubl_invoice.read(ubl_invoice.write(invoice)) == invoice
    packing = packing_list_of(value)
    assert packing_list.read(packing_list.write(packing)) == packing
    statement = origin_statement_of(value)
    assert origin_statement.read(origin_statement.write(statement)) == statement


@few
@given(papers.bills())
def test_a_bill_of_lading_reads_back_equal(bill):
    assert bill_of_lading.read(bill_of_lading.write(bill)) == bill


@few
@given(st.binary(max_size=300), st.sampled_from(CODECS))
def test_any_bytes_are_read_or_refused_and_nothing_else(data, codec):
    with pytest.raises(MalformedInput):
        codec.read(data)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=5,
)


def holes(value, path=()):
    """Every place in a JSON value."""
    yield path
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from holes(item, (*path, key))


@few
@given(st.data())
def test_a_paper_with_any_value_in_any_place_is_read_or_refused(data):
    codec = data.draw(st.sampled_from([entry, bill_of_lading]))
    folder = Path(__file__).parents[1] / "data"
    name = "entry.json" if codec is entry else "bill_of_lading.json"
    plain = json.loads((folder / name).read_bytes())
    *way, last = data.draw(st.sampled_from([p for p in holes(plain) if p]))
    spot = plain
    for step in way:
        spot = spot[step]
    spot[last] = data.draw(json_values)
    with contextlib.suppress(MalformedInput):
        codec.read(json.dumps(plain).encode(errors="surrogatepass"))


def _set(path: str, value):
    def change(plain) -> None:
        *way, last = path.split(".")
        for step in way:
            plain = plain[int(step) if step.isdigit() else step]
        plain[last] = value

    return change


WRONG = {
    "invoice.issued_on": ["2026-02-30", "2026-2-1", 20260201, None],
    "lines.0.quantity": ["NaN", "-1", "1e3", "0", "1.", ".5", 24, "0x10", "1,5", "٣"],
    "lines.0.net_kg": ["-1104"],
    "lines.0.gross_kg": ["1103.9"],
    "lines.0.hs": ["8413", "84137x"],
    "lines.1.id": ["1"],
    "lines.0.vat": [{"category": "O", "percent": "20"}, {"category": "X", "percent": "0"}],
    "invoice.currency": ["XXX", "eur", "EURO"],
    "terms.rule": ["XXX", "cif"],
    "terms.edition": [2010, "2020"],
    "transport.loading.unlocode": ["cnsha", "CN SHA", "CNSH1"],
    "container": ["CSQU3054384", "CSQX3054383", ""],
    "parties.importer.id": ["exporter", "Importer", ""],
    "parties.exporter.name": ["", " padded", "line\nbreak", "\u202eevil", "x" * 121],
    "lot": ["", 5],
    "simulated": ["yes", 1],
    "unknown": [1],
}


@pytest.mark.parametrize(("path", "value"), [(p, v) for p, vs in WRONG.items() for v in vs])
def test_a_wrong_field_of_an_entry_is_refused_by_its_path(entry_bytes, path, value):
    plain = json.loads(entry_bytes)
    _set(path, value)(plain)
    with pytest.raises(MalformedInput) as refused:
        entry.read(json.dumps(plain).encode())
    leaf = path.rpartition(".")[2]
    assert leaf in refused.value.where + str(refused.value) or "container" in str(refused.value)


def test_a_reason_for_no_vat_needs_a_line_without_vat(entry_bytes):
    plain = json.loads(entry_bytes)
    for line in plain["lines"]:
        line["vat"] = {"category": "S", "percent": "13"}
    with pytest.raises(MalformedInput, match="no line without VAT"):
        entry.read(json.dumps(plain).encode())


def test_a_key_that_stands_twice_is_refused(entry_bytes):
    twice = entry_bytes.replace(b'"order":', b'"order": "PO-1", "order":', 1)
    with pytest.raises(MalformedInput) as refused:
        entry.read(twice)
    assert refused.value.code == "duplicate_key"


def test_a_sea_waybill_is_no_bill_of_lading(bill_bytes):
    with pytest.raises(MalformedInput):
        bill_of_lading.read(bill_bytes.replace(b'"BOL"', b'"SWB"'))


@pytest.mark.parametrize("weight", ["NaN", "Infinity", "-1", "0", "1e400"])
def test_a_weight_that_is_none_is_refused(bill_bytes, weight):
    with pytest.raises(MalformedInput):
        bill_of_lading.read(bill_bytes.replace(b"1291.2", json.dumps(weight).encode()))


def test_dcsas_own_transport_document_is_read(shared):
    data = (shared / "trade/dcsa/messages/pint-3.0.0-transport-document.json").read_bytes()
    named = data.replace(b"TRANSPORT_DOCUMENT_REFERENCE_PLACEHOLDER", b"HMM0001")
    bill = bill_of_lading.read(named)
    assert bill.number == "HMM0001"
    assert bill.packages == 400
    assert bill.loading == "DKAAR"
