"""Routes for entering a consignment: fields, live checks, drafts, imports, documents and prints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Final, Literal

import msgspec
from litestar import Response, Router, delete, get, post
from litestar.params import Parameter

from zhidao.core.access import CALLER, Relation, access
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock
from zhidao.core.encoding import parse_base64
from zhidao.core.errors import Refused
from zhidao.core.judging import DOCUMENT, IN_PLACE, Judges
from zhidao.node.http.access import ACCESS
from zhidao.node.lists.listing import LISTED, Listing
from zhidao.trade.domain.comparison import CheckResult
from zhidao.trade.domain.conflicts.compared_set import INVOICES
from zhidao.trade.domain.conflicts.table import Comparison, views_of
from zhidao.trade.domain.documents.asked import apart
from zhidao.trade.domain.documents.formalities import DOCUMENTARY_CREDIT, FORMS
from zhidao.trade.domain.documents.needed import NeededPaper
from zhidao.trade.domain.model import forms
from zhidao.trade.domain.model.catalogue import FIELDS, Field
from zhidao.trade.domain.model.forms import Form, choices_of
from zhidao.trade.domain.model.known_codes import SHORT_CODES, KnownCodes
from zhidao.trade.domain.printing import labels
from zhidao.trade.domain.printing.places import place_label
from zhidao.trade.service import entering
from zhidao.trade.service.document_set import OF_OTHERS, MadeDocument
from zhidao.trade.service.entering import FILES_MAX, Trouble
from zhidao.trade.service.ports import Draft, Drafts
from zhidao.trade.service.validation import Validation

MAY_DRAFT: Final = access(Role.PARTY, relation=Relation.OWNER, of="the draft")

_DRAFTS_MAX = 100
_SUGGESTED: Final[dict[Form, str]] = {
    forms.unlocode: "place",
    forms.hs_code: "hs",
    forms.station: "station",
}
_Name = Annotated[str, Parameter(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z", max_length=64)]
_Path = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
_Typed = Annotated[str, msgspec.Meta(max_length=1000)]
Typed = Annotated[dict[_Path, _Typed], msgspec.Meta(max_length=entering.FIELDS_MAX)]
_FILE_CHARACTERS_MAX = 11_000_000
_DRAFTS = Listing("drafts", ("name",), ("name", "saved_at"))


class TypedEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was typed so far: texts by the paths of fields."""

    fields: Typed


class DraftInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A draft to keep."""

    fields: Typed


class DraftView(msgspec.Struct, frozen=True, kw_only=True):
    """A draft; the list of drafts tells no fields."""

    name: str
    saved_at: str
    fields: dict[str, str]


class FileInput(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file as a person dropped it; `content` is base64."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
    content: Annotated[str, msgspec.Meta(min_length=4, max_length=_FILE_CHARACTERS_MAX)]


class Folder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Files that belong together."""

    files: Annotated[list[FileInput], msgspec.Meta(min_length=1, max_length=FILES_MAX)]


class DraftFieldView(msgspec.Struct, frozen=True, kw_only=True):
    """A field of an entry: what it is called, whether it must be there, and its codes, if few.

    `of_en`, `of_zh`: the party that a party's field is of. `otherwise_en`, `otherwise_zh`: what
    stands there if nothing was typed, a value or another field's name. `suggested`: the kind of
    code (place, hs, station) that `GET /v1/trade/codes` suggests for it, or empty.
    """

    path: str
    en: str
    zh: str
    of_en: str
    of_zh: str
    needed: bool
    otherwise_en: str
    otherwise_zh: str
    choices: list[str]
    suggested: str


class DraftTroubleView(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a value."""

    path: str
    sentence: str
    code: str
    remedy: str


class DraftPlaceView(msgspec.Struct, frozen=True, kw_only=True):
    """What a place in a document is called; empty where it has no name but its own."""

    en: str
    zh: str


class DraftFindingView(msgspec.Struct, frozen=True, kw_only=True):
    """A row of the cross-checks that does not agree; `asked_by`: bank, customs.

    `about` and `note` are codes of what the English sentence says, each with the value that it is
    of; empty where there is none. `left_at` and `right_at`: what the places of both values are
    called.
    """

    rule: str
    answer: str
    sentence: str
    about: str
    about_of: str
    note: str
    note_of: str
    left: str
    right: str
    left_at: DraftPlaceView
    right_at: DraftPlaceView
    asked_by: list[str]


class DraftDocumentView(msgspec.Struct, frozen=True, kw_only=True):
    """A document that the entry makes."""

    kind: str
    en: str
    zh: str
    number: str
    sha256: str
    media_type: str


class DraftPaperView(msgspec.Struct, frozen=True, kw_only=True):
    """A paper that the consignment needs or, though its number was entered, has not.

    `cause`: sale, mode, border, agreement, terms, credit, named or no_leg; `cause_of`: the mode,
    countries, agreement, term or number that it is of.
    """

    kind: str
    en: str
    zh: str
    cause: str
    cause_of: str


class DraftProgressView(msgspec.Struct, frozen=True, kw_only=True):
    """How far an entry is; `road`: fields that opening a consignment with it still asks for.

    `papers` follow the way the goods go, the border and the agreement; `left_out`: those whose
    number was entered and that cannot be; `possible`: agreements that bind both countries and
    under which nothing is claimed; `apart`: fields that no paper of the set speaks of.
    """

    troubles: list[DraftTroubleView]
    missing: list[str]
    road: list[str]
    needed: int
    papers: list[DraftPaperView]
    left_out: list[DraftPaperView]
    possible: list[str]
    apart: list[str]
    documents: list[DraftDocumentView]
    agree: int
    findings: list[DraftFindingView]
    unasked: list[str]


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """Fields out of a file; `unmapped`: places that no field stands for."""

    fields: dict[str, str]
    unmapped: list[str]


class FileMisfitView(msgspec.Struct, frozen=True, kw_only=True):
    """A value that a document computes from others, and computes wrongly."""

    place: str
    seen: str
    wanted: str


class FileLookView(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a folder: its kind and number, what nobody understood, what is wrong with it."""

    name: str
    kind: str
    en: str
    zh: str
    number: str
    unmapped: list[str]
    misfits: list[FileMisfitView]
    trouble: DraftTroubleView | None


class FolderLookView(msgspec.Struct, frozen=True, kw_only=True):
    """What the documents of a folder say of each other."""

    files: list[FileLookView]
    agree: int
    findings: list[DraftFindingView]
    unasked: list[str]


def _otherwise(field: Field, language: int) -> str:
    """The value after `=`, or the name of the field or party whose value it is."""
    if field.otherwise[:1] in ("", "="):
        return field.otherwise[1:]
    named = labels.ROLES.get(field.otherwise.partition(".")[0])
    return (named or labels.label_of(field.otherwise))[language]


Prints = Callable[[Mapping[str, str], str, str, KnownCodes], bytes]
"""Fields of a whole entry, a kind of document and a language, to a PDF/A."""


def routes(
    drafts: Drafts,
    clock: Clock,
    prints: Prints,
    judges: Judges = IN_PLACE,
    validation: Validation | None = None,
    codes: KnownCodes = SHORT_CODES,
) -> Router:
    """Routes under /v1/trade/entries. `prints`: makes a PDF/A in a process of `judges`.

    `validation`: by it each invoice that leaves is judged; None in tests without rules. `codes`:
    the lists that name places and goods.
    """
    made_of = partial(_made_of, judges, validation, codes)

    @get("/fields", opt={ACCESS: CALLER})
    async def fields(actor: Actor) -> list[DraftFieldView]:
        """Every field that an entry may have, with its names in two languages."""
        del actor
        return [
            DraftFieldView(
                path=path,
                en=labels.label_of(path)[0],
                zh=labels.label_of(path)[1],
                of_en=labels.ROLES.get(path.partition(".")[0], ("", ""))[0],
                of_zh=labels.ROLES.get(path.partition(".")[0], ("", ""))[1],
                needed=field.needed,
                otherwise_en=_otherwise(field, 0),
                otherwise_zh=_otherwise(field, 1),
                choices=list(choices_of(field.form)),
                suggested=_SUGGESTED.get(field.form, ""),
            )
            for path, field in FIELDS.items()
        ]

    @post("/check", status_code=200, opt={ACCESS: CALLER})
    async def check(data: TypedEntry, actor: Actor) -> DraftProgressView:
        """Checks what was typed so far; keeps nothing."""
        del actor
        found = await judges.run(DOCUMENT, entering.progress, data.fields, codes)
        return DraftProgressView(
            troubles=[_trouble(each) for each in found.troubles],
            missing=list(found.missing),
            road=list(found.road),
            needed=found.needed,
            papers=[_paper(each) for each in found.papers.papers],
            left_out=[_paper(each) for each in found.papers.left_out],
            possible=list(found.papers.possible),
            apart=apart(data.fields, found.papers),
            documents=[
                _document(each) for each in found.made if each.form is not DOCUMENTARY_CREDIT
            ],
            agree=_agreeing(found.comparison),
            findings=_findings(found.comparison),
            unasked=list(found.comparison.unasked) if found.comparison else [],
        )

    @post("/import", status_code=200, opt={ACCESS: CALLER})
    async def take(data: FileInput, actor: Actor) -> Imported:
        """Reads fields out of a UBL or CII invoice, another document, an entry or a CSV."""
        del actor
        content = parse_base64(data.content)
        found, unmapped = await judges.run(DOCUMENT, entering.imported_file, data.name, content)
        return Imported(fields=found, unmapped=list(unmapped))

    @post("/folder", status_code=200, opt={ACCESS: CALLER})
    async def folder(data: Folder, actor: Actor) -> FolderLookView:
        """Reads the documents of a folder and holds them against each other; keeps nothing."""
        del actor
        files = [(each.name, parse_base64(each.content)) for each in data.files]
        looked, compared = await judges.run(DOCUMENT, entering.looked_at, files)
        return FolderLookView(
            files=[_looked(each) for each in looked],
            agree=_agreeing(compared),
            findings=_findings(compared),
            unasked=list(compared.unasked),
        )

    @post(
        "/documents/{kind:str}",
        status_code=200,
        media_type="application/octet-stream",
        opt={ACCESS: CALLER},
    )
    async def document(kind: _Name, data: TypedEntry, actor: Actor) -> Response[bytes]:
        """The machine form of one document of a whole entry."""
        del actor
        made = await made_of(data.fields, kind)
        return _file(made.data, made.form.media_type, made.file_name)

    @post("/prints/{kind:str}", status_code=200, media_type="application/pdf", opt={ACCESS: CALLER})
    async def printed(
        kind: _Name, data: TypedEntry, actor: Actor, language: Literal["en", "zh", "both"] = "both"
    ) -> Response[bytes]:
        """A document of a whole entry as PDF/A; 503 where the extra for it is not installed."""
        del actor
        if kind in INVOICES:
            await made_of(data.fields, kind)
        pdf = await judges.run(DOCUMENT, prints, data.fields, kind, language, codes)
        return _file(pdf, "application/pdf", f"{kind}.pdf")

    @get("/drafts", opt={LISTED: _DRAFTS, ACCESS: MAY_DRAFT})
    async def listed(actor: Actor) -> list[DraftView]:
        """The caller's drafts, the newest first, without their fields."""
        MAY_DRAFT.admit(actor)
        return [_draft(each, {}) for each in await drafts.listed(actor.party)]

    @get("/drafts/{name:str}", opt={ACCESS: MAY_DRAFT})
    async def one(name: _Name, actor: Actor) -> DraftView:
        """A draft with its fields."""
        MAY_DRAFT.admit(actor)
        found = await drafts.get(actor.party, name)
        return _draft(found, found.fields)

    @post("/drafts/{name:str}", status_code=200, opt={ACCESS: MAY_DRAFT})
    async def keep(name: _Name, data: DraftInput, actor: Actor) -> DraftView:
        """Keeps a draft in the place of the one that had its name; at most 100."""
        MAY_DRAFT.admit(actor)
        standing = await drafts.listed(actor.party)
        if len(standing) >= _DRAFTS_MAX and name not in [each.name for each in standing]:
            raise Refused(
                f"a party keeps {_DRAFTS_MAX} drafts", code="too_many_drafts", remedy="drop one"
            )
        draft = Draft(name, dict(data.fields), clock.now())
        await drafts.put(actor.party, draft)
        return _draft(draft, {})

    @delete("/drafts/{name:str}", status_code=204, opt={ACCESS: MAY_DRAFT})
    async def drop(name: _Name, actor: Actor) -> None:
        """Drops a draft."""
        MAY_DRAFT.admit(actor)
        await drafts.remove(actor.party, name)

    handlers = [fields, check, take, folder, document, printed, listed, one, keep, drop]
    return Router("/v1/trade/entries", route_handlers=handlers, tags=["trade"])


def _file(data: bytes, media_type: str, name: str) -> Response[bytes]:
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "X-Content-Type-Options": "nosniff",
    }
    return Response(data, media_type=media_type, headers=headers)


def _draft(draft: Draft, fields: Mapping[str, str]) -> DraftView:
    return DraftView(name=draft.name, saved_at=str(draft.saved_at), fields=dict(fields))


async def _made_of(
    judges: Judges,
    validation: Validation | None,
    codes: KnownCodes,
    fields: Mapping[str, str],
    kind: str,
) -> MadeDocument:
    """A document of an entry, an invoice only if it breaks no rule that is installed."""
    made = await judges.run(DOCUMENT, entering.document, fields, kind, codes)
    if validation is not None and kind in INVOICES:
        await validation.unbroken([made.data])
    return made


def _trouble(trouble: Trouble) -> DraftTroubleView:
    return DraftTroubleView(
        path=trouble.path, sentence=trouble.sentence, code=trouble.code, remedy=trouble.remedy
    )


def _paper(paper: NeededPaper) -> DraftPaperView:
    return DraftPaperView(
        kind=paper.form.kind,
        en=paper.form.titles[0],
        zh=paper.form.titles[1],
        cause=paper.why.cause.value,
        cause_of=paper.why.of,
    )


def _document(made: MadeDocument) -> DraftDocumentView:
    return DraftDocumentView(
        kind=made.form.kind,
        en=made.form.titles[0],
        zh=made.form.titles[1],
        number=made.number,
        sha256=made.digest,
        media_type=made.form.media_type,
    )


def _looked(looked: entering.Looked) -> FileLookView:
    form = (FORMS | OF_OTHERS).get(looked.kind)
    found = looked.found
    return FileLookView(
        name=looked.name,
        kind=looked.kind,
        en=form.titles[0] if form else "",
        zh=form.titles[1] if form else "",
        number=found.consignment.get(form.number_path) if form and found else "",
        unmapped=list(found.unmapped) if found else [],
        misfits=[
            FileMisfitView(place=m.place, seen=m.seen, wanted=m.wanted)
            for m in (found.misfits if found else ())
        ],
        trouble=_trouble(looked.trouble) if looked.trouble else None,
    )


def _agreeing(comparison: Comparison | None) -> int:
    if comparison is None:
        return 0
    return len(comparison.answers) - len(comparison.findings)


def _findings(comparison: Comparison | None) -> list[DraftFindingView]:
    return [_finding(each) for each in comparison.told()] if comparison else []


def _place(statement: str) -> DraftPlaceView:
    english, chinese = place_label(statement) or ("", "")
    return DraftPlaceView(en=english, zh=chinese)


def _finding(answer: CheckResult) -> DraftFindingView:
    return DraftFindingView(
        rule=answer.rule,
        answer=answer.answer.value,
        sentence=answer.sentence,
        about=answer.about.topic.value if answer.about else "",
        about_of=answer.about.of if answer.about else "",
        note=answer.note.note.value if answer.note else "",
        note_of=answer.note.of if answer.note else "",
        left=answer.left,
        right=answer.right,
        left_at=_place(answer.left),
        right_at=_place(answer.right),
        asked_by=sorted(view.value for view in views_of(answer.rule)),
    )
