"""Which fields an entry is asked for: those of the papers that it needs, and no others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Final

from zhidao.core.errors import MalformedInput
from zhidao.trade.domain.documents.formalities import FORMS, IMPORT_DECLARATION, SET
from zhidao.trade.domain.documents.needed import (
    CERTIFICATES,
    NeededSet,
    main_mode,
    modes,
    needed_set,
)
from zhidao.trade.domain.model.catalogue import (
    EQUIPMENT,
    FIELDS,
    INDEX,
    ITEM,
    field_of,
    members,
    sizes_of,
    unsaid,
)
from zhidao.trade.domain.model.code_lists import BULK_KINDS
from zhidao.trade.domain.model.consignment import CanonicalConsignment
from zhidao.trade.domain.model.known_codes import SHORT_CODES, KnownCodes

_MOVE: Final = "mainCarriageTransportMovement"
_WAGON: Final = "railTransportMovement.wagonId"
_IN_BOX: Final = f"{ITEM}[].equipmentId"
_CRITERION: Final = f"{ITEM}[].originCriterionCode"
# When the goods leave is asked of every consignment: other days follow from it.
_ALWAYS: Final = frozenset(("id", f"{_MOVE}.departureDate"))
# Ships have names and voyages, flights a number; trains and lorries are known by wagon and plate.
_OF_MODE: Final = {
    f"{_MOVE}.meansName": frozenset(("sea",)),
    f"{_MOVE}.id": frozenset(("sea", "air")),
}
_NUMBERS: Final = {form.number_path.rpartition(".")[0]: form for form in FORMS.values()}


def needs_boxes(values: Mapping[str, str]) -> bool:
    """Whether goods go in containers: what is said of the load, else by sea and by rail."""
    load = values.get("loadTypeCode", "")
    if load:
        return load == "FCL"
    if sizes_of(values)[EQUIPMENT]:
        return True
    return main_mode(values) in ("sea", "rail") and not is_loose(values)


def is_loose(values: Mapping[str, str]) -> bool:
    """Whether every item of goods is in no package at all."""
    kinds = [values.get(f"{ITEM}[{k}].packageTypeCode") for k in range(sizes_of(values)[ITEM])]
    return values.get("loadTypeCode") == "BULK" or (
        bool(kinds) and all(kind in BULK_KINDS for kind in kinds)
    )


def patterns(values: Mapping[str, str], needed: NeededSet) -> frozenset[str]:
    """Fields that the papers of a set cannot be made without, whether they follow or are typed."""
    said = {path for form in needed.forms for path in form.fields}
    wanted = (said & _NEEDED) | _ALWAYS
    if any(form in needed.forms for form, _ in CERTIFICATES):
        wanted.add(_CRITERION)
    if IMPORT_DECLARATION in needed.forms:
        # The day of import follows from it.
        wanted.add(f"{_MOVE}.arrivalDate")
    return frozenset(path for path in wanted if not _is_spared(path, values, needed))


def _is_spared(path: str, values: Mapping[str, str], needed: NeededSet) -> bool:
    """Whether a field of a paper stands only where this consignment has the thing it speaks of."""
    document, _, name = path.rpartition(".")
    of = _NUMBERS.get(document)
    if of is not None and name in ("id", "issueDate"):
        return of not in needed.forms
    if path in _OF_MODE:
        return not modes(values) & _OF_MODE[path]
    if path in _OF_BOXES:
        return not needs_boxes(values)
    spares = _SPARED.get(path)
    return spares is not None and spares(values)


def _has_wagons(values: Mapping[str, str]) -> bool:
    return any(path.endswith("].wagonId") for path in values)


def _has_tax_number(values: Mapping[str, str]) -> bool:
    """By EN 16931 BR-CO-26 a VAT number will do in the place of a registration."""
    return "consignorParty.taxRegistrationId" in values


def _pays_by_weight(values: Mapping[str, str]) -> bool:
    """Parcels and flights pay by volume; a full container, a wagon or a hold does not."""
    return needs_boxes(values) or is_loose(values) or main_mode(values) in ("rail", "road")


_OF_BOXES: Final = frozenset(
    (_IN_BOX, *(path for path in FIELDS if path.startswith(f"{EQUIPMENT}[]")))
)
_SPARED: Final[dict[str, Callable[[Mapping[str, str]], bool]]] = {
    "consignorParty.legalRegistrationId": _has_tax_number,
    _WAGON: _has_wagons,
    f"{ITEM}[].grossVolume": _pays_by_weight,
    f"{ITEM}[].packageQuantity": is_loose,
    f"{ITEM}[].shippingMarks": is_loose,
}


def apart(values: Mapping[str, str], needed: NeededSet) -> list[str]:
    """Fields that only papers outside of the set speak of, or things that it has not."""
    said = {path for form in needed.forms for path in form.fields}
    of_others = {path for form in SET for path in form.fields} - said
    spared = {path for path in said & _NEEDED if _is_spared(path, values, needed)}
    typed = {INDEX.sub("[]", path) for path in values}
    far = (of_others | spared) - typed - _ALWAYS
    return [path for path in FIELDS if path in far]


_NEEDED: Final = frozenset(path for path, field in FIELDS.items() if field.needed)


def asked(
    values: Mapping[str, str], needed: NeededSet | None = None, codes: KnownCodes = SHORT_CODES
) -> list[str]:
    """The fields that a person types for these papers; one item is always asked for."""
    wanted = patterns(values, needed or needed_set(values))
    sizes = sizes_of(values)
    sizes[ITEM] = max(1, sizes[ITEM])
    sizes[EQUIPMENT] = max(int(needs_boxes(values)), sizes[EQUIPMENT])
    known = {**values, **{path: text for path, (text, _) in unsaid(values, codes).items()}}
    return [
        path
        for pattern in FIELDS
        if pattern in wanted
        for k, path in members(pattern, sizes)
        if not _follows(path, k, known, wanted, codes, typed=values)
    ]


def _follows(
    path: str,
    k: int,
    known: Mapping[str, str],
    wanted: frozenset[str],
    codes: KnownCodes,
    *,
    typed: Mapping[str, str],
) -> bool:
    """Whether a field need not be typed: it follows from others, or will once one is typed."""
    field = field_of(path)
    if path in known:
        return bool(field.otherwise) or path not in typed
    if field.beside in typed:
        return False
    return field.unsaid(known, k, codes) is not None and _will_stand(field.otherwise, wanted)


def _will_stand(source: str, wanted: frozenset[str]) -> bool:
    """Whether a field that others follow is asked, or follows one that is."""
    pattern = INDEX.sub("[]", source)
    if not source or source[0] == "=" or pattern in wanted:
        return bool(source)
    return _will_stand(FIELDS[pattern].otherwise, wanted)


def missing(consignment: CanonicalConsignment, *, presented: bool = False) -> Iterator[str]:
    """The fields that the papers of a consignment need and that it has not."""
    values = consignment.values
    wanted = asked(values, needed_set(values, presented=presented))
    yield from (path for path in wanted if path not in values)


def require(consignment: CanonicalConsignment, *, presented: bool = False) -> None:
    """Refuses an entry that lacks a needed field or says what cannot be.

    Raises MalformedInput naming every missing field at once, so that a person types them once.
    """
    lacks = sorted(missing(consignment, presented=presented))
    if lacks:
        more = f" and {len(lacks) - 10} more" if len(lacks) > 10 else ""
        raise MalformedInput(
            f"{len(lacks)} fields are missing: {', '.join(lacks[:10])}{more}",
            code="missing_fields",
            where=lacks[0],
            remedy="add them to the entry",
        )
    _check_members(consignment)


def _check_members(consignment: CanonicalConsignment) -> None:
    """Items and containers stand once each, goods in one of the containers, net below gross."""
    containers = consignment.each(EQUIPMENT, "id")
    for what, values in (("item", consignment.each(ITEM, "id")), ("container", containers)):
        twice = next((value for value in values if values.count(value) > 1), None)
        if twice is not None:
            raise MalformedInput(f"the {what} {twice!r} stands twice")
    for k, container in enumerate(consignment.each(ITEM, "equipmentId")):
        where = f"{ITEM}[{k}]"
        if (container or containers) and container not in containers:
            raise MalformedInput(
                f"{container} is not among the containers", where=f"{where}.equipmentId"
            )
        net, gross = (
            Decimal(consignment.get(f"{where}.{n}", "0")) for n in ("netWeight", "grossWeight")
        )
        if net > gross:
            raise MalformedInput(
                f"net weight {net} kg is above gross weight {gross} kg", where=f"{where}.netWeight"
            )
