"""Bounds of trade's services, adapters and files, and of the rules that judge them."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import socket
import tempfile
import zipfile
from argparse import Namespace
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
from tests.bounds.case import Case, file_of_spaces, spaces
from tests.trade.adapters.test_packs import UBL, wheel
from tests.trade.service.test_clearance import CUSTOMS, KIND, actor, clearance_of, document
from tests.trade.test_en16931 import GOLDEN
from tests.trade.wire.test_any_input import SIGNER, manifest
from tests.trust.proof_bench import ProofBench

from zhidao.cli.exchange import peer
from zhidao.cli.trade import present
from zhidao.core.canonical import parse_strict
from zhidao.core.errors import Unavailable
from zhidao.core.ids import party_id
from zhidao.core.money import Currency
from zhidao.exchange.wire import sealed_file
from zhidao.rules import parse_xml
from zhidao.rules.schematron.ruleset import Assert, Pattern, Rule, RuleSet
from zhidao.rules.schematron.running import CompiledRules
from zhidao.rules.xpath import parser, values
from zhidao.rules.xpath.code import Scope
from zhidao.rules.xpath.compiler import Compiler
from zhidao.rules.xpath.snapshot import snapshot
from zhidao.trade.adapters import pack_sources, rule_worker
from zhidao.trade.adapters.listing_file import ListingFile
from zhidao.trade.adapters.packs import EN16931_UBL, _planned_files
from zhidao.trade.adapters.rule_frames import Answer
from zhidao.trade.domain.documents import carriage
from zhidao.trade.domain.documents.mapping import DocumentForm, Syntax
from zhidao.trade.domain.invoice import invoices_of
from zhidao.trade.domain.model import consignment
from zhidao.trade.domain.model.catalogue import ITEM
from zhidao.trade.domain.model.consignment import Origin
from zhidao.trade.wire import bill_of_lading, entry, leaves, presentation_file
from zhidao.trust.wire.governance.trust_list import encode_trust_list

LIST = replace(ProofBench().trust(), name="a")
TRUST = encode_trust_list(LIST)
DATA = GOLDEN.parent
ENTRY: dict[str, Any] = json.loads(GOLDEN.read_bytes())
BILL: dict[str, Any] = json.loads((DATA / "bill_of_lading.json").read_bytes())
JSON_FORM = next(
    form
    for form in vars(carriage).values()
    if isinstance(form, DocumentForm) and form.syntax is Syntax.JSON
)


def trusted(size: int) -> object:
    """A trust list of so many bytes."""
    name = "a" * (size - len(TRUST) + 1)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "a.json"
        file.write_bytes(encode_trust_list(replace(LIST, name=name)))
        return peer._trust(Namespace(trust=file), "a")


def of_wheel(extra: int = 0, size: int = 0) -> object:
    """What a plan takes out of a wheel: two files, and so many schemas of a size."""
    with tempfile.TemporaryDirectory() as name:
        file = wheel(Path(name))
        with zipfile.ZipFile(file, "a") as archive:
            for number in range(extra):
                archive.writestr(f"{UBL}maindoc/more-{number}.xsd", b"x" * size)
        return _planned_files(file, EN16931_UBL)


def in_wheel(count: int) -> object:
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "a.whl"
        with zipfile.ZipFile(file, "w") as archive:
            for number in range(count):
                archive.writestr(f"{number}.txt", b"")
        return pack_sources._rule_files(file, "")


async def answered(size: int) -> None:
    """What the process of the rules answers, in so many bytes."""
    ours, theirs = socket.socketpair()
    reader, writer = await asyncio.open_connection(sock=ours)
    judging = rule_worker._Judging(multiprocessing.Process(), reader, writer)
    told = msgspec.json.encode(Answer(malformed="x")).ljust(size)
    sending = asyncio.to_thread(theirs.sendall, len(told).to_bytes(4, "big") + told)
    try:
        await asyncio.gather(rule_worker._ask(judging, b"<a/>"), sending)
    except EOFError as error:
        raise Unavailable(str(error)) from error
    finally:
        writer.close()
        theirs.close()


def in_decimals(count: int) -> object:
    currency = {2: "CNY", 3: "KWD"}[count]
    told = entry.read(GOLDEN.read_bytes())
    invoice = replace(told.invoice, currency=Currency(currency))
    return invoices_of(replace(told, invoice=invoice))[0]


async def lodged(agencies: int) -> None:
    names = [party_id(f"agency-{number}") for number in range(agencies)]
    await clearance_of().submit(
        actor("importer"), document(), kind=KIND, customs=CUSTOMS, agencies=names, reason=""
    )


def opened(past: int) -> object:
    """A file with so many bytes more than a presentation that nobody sealed may have."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "a.zdpresent"
        file.write_bytes(b" " * (presentation_file.BYTES_MAX + past))
        return present.run_open(Namespace(file=file, trust=None))


def weighed(kilograms: Decimal) -> object:
    told = json.loads(json.dumps(BILL))
    weight = told["consignmentItems"][0]["cargoItems"][0]["cargoGrossWeight"]
    weight["value"] = int(kilograms)
    return bill_of_lading.read(json.dumps(told).encode())


def presented(count: int) -> object:
    made = presentation_file.encode(presentation_file.sign(manifest(), {}, SIGNER))
    contents = {f"{number:064x}": "" for number in range(count)}
    told = parse_strict(made) | {"contents": contents}  # type: ignore[operator]
    return presentation_file.decode(json.dumps(told).encode())


def called(times: int) -> None:
    """A rule that calls a function of its own so many times."""
    text = (
        '<xsl:function xmlns:xsl="http://www.w3.org/1999/XSL/Transform" xmlns:f="urn:f" '
        'name="f:one"><xsl:sequence select="1"/></xsl:function>'
    )
    test = " + ".join(["f:one()"] * times) + f" = {times}"
    rule = Rule("/*", (Assert("A-1", "fatal", test, ("",)),))
    rules = RuleSet("t", {"f": "urn:f"}, (Pattern("p", (rule,)),), (), (text,))
    outside = CompiledRules(rules).outside
    if outside:
        raise values.OutsideSubset(str(next(iter(outside.values()))))


def ranged(size: int) -> object:
    """So many numbers in a row, counted by a rule."""
    compiler = Compiler()
    run = compiler.code(parser.parse(f"1 to {size}", {}), Scope({})).many
    return run(snapshot(parse_xml(b"<a/>")), [None] * compiler.slots)


def prolog(size: int) -> object:
    """A document whose first tag ends with its byte of that number."""
    return parse_xml(b"<!--" + b" " * (size - len("<!----><a/>")) + b"--><a/>")


def attributes(count: int) -> object:
    told = b"".join(b' a%d="x"' % number for number in range(count))
    return parse_xml(b"<a" + told + b"/>")


CASES = (
    Case("cli.exchange.peer._TRUST_BYTES_MAX", trusted, len(TRUST) + 9),
    file_of_spaces(
        "cli.trade.present._ENTRY_BYTES_MAX",
        lambda file: present.run_make(
            Namespace(entry=file, to=None, config=None, data=file.parent / "none", party="a")
        ),
    ),
    Case(
        "exchange.wire.sealed_file.SEAL_BYTES_MAX",
        opened,
        told=str(presentation_file.BYTES_MAX + sealed_file.SEAL_BYTES_MAX),
    ),
    Case("rules.safe_xml.XML_PROLOG_BYTES_MAX", prolog),
    Case("rules.safe_xml.XML_TAG_EQUALS_MAX", attributes),
    Case("rules.xpath.declared.CALLS_MAX", called, 60),
    *(
        Case(
            "rules.xpath.parser.LINKS_MAX",
            lambda n, form=form: parser.parse(form(n), {"xs": parser.XS}),
        )
        for form in (
            lambda n: " or ".join(["a"] * (n + 1)),
            lambda n: "-" * n + "1",
            lambda n: "1" + " cast as xs:integer" * n,
            lambda n: "1" + " instance of item()" * n,
        )
    ),
    Case("rules.xpath.operators._RANGE_MAX", ranged),
    file_of_spaces(
        "trade.adapters.listing_file.LIST_BYTES_MAX", lambda file: ListingFile(file)._read()
    ),
    Case("trade.adapters.pack_sources._WHEEL_FILES_MAX", in_wheel, 60),
    Case("trade.adapters.packs.FILE_BYTES_MAX", lambda n: of_wheel(1, n), 1_000),
    Case("trade.adapters.packs._FILES_MAX", lambda n: of_wheel(n - 2, 1)),
    Case("trade.adapters.rule_worker._ANSWER_BYTES_MAX", answered, 1_000),
    Case("trade.domain.invoice._DECIMALS_MAX", in_decimals, told="at most two decimals"),
    Case(
        "trade.domain.model.catalogue.GROUP_MAX",
        lambda n: consignment.enter(
            {f"{ITEM}[{k}].natureIdentificationCargo.description": "pump" for k in range(n)},
            digest="0" * 64,
            origin=next(iter(Origin)),
        ),
    ),
    Case("trade.service.clearance._AGENCIES_MAX", lodged),
    Case("trade.wire.bill_of_lading._WEIGHT_MAX", weighed),
    Case(
        "trade.wire.entry.LINES_MAX",
        lambda n: entry.read(json.dumps(ENTRY | {"lines": ENTRY["lines"][:1] * n}).encode()),
    ),
    spaces("trade.wire.leaves.DOCUMENT_BYTES_MAX", lambda data: leaves.decode(data, JSON_FORM)),
    Case("trade.wire.presentation_file._CONTENTS_MAX", presented),
)
