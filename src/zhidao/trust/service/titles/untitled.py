"""Whether a bill of lading may still get its title: asked before it stands on a consignment."""

from __future__ import annotations

import contextlib

from zhidao.core.actor import Actor
from zhidao.core.errors import Conflict, MalformedInput, Unavailable
from zhidao.core.events import latest
from zhidao.core.journal import Records
from zhidao.trust.domain.title_tag import Bill
from zhidao.trust.events import TitleAsked
from zhidao.trust.service.chain.title_records import aggregate_of_title
from zhidao.trust.service.titles.bill_tags import TitleTags


class UntitledBills:
    """Tells a bill whose title stands already from one that may get its own."""

    def __init__(self, records: Records, tags: TitleTags) -> None:
        self._records = records
        self._tags = tags

    async def check(
        self, actor: Actor, *, consignment: str, document: str, carrier_code: str, number: str
    ) -> None:
        """Raises Conflict for a bill that could get no title on this consignment any more.

        A consignment has one bill for good, so that a number typed twice would leave it without
        title and payment. `title_exists`: this very document is another consignment's title;
        `double_title`: the number of this carrier has one, here or in a log that is mirrored here.
        A bill without the carrier's code, with a number that bears no title, or of a carrier whose
        key is elsewhere is looked at when its title is issued.
        """
        asked = latest(await self._records.history(aggregate_of_title(document)), TitleAsked)
        if asked is not None and asked.consignment != consignment:
            raise _taken("title_exists", "this bill is the title of another consignment")
        if not carrier_code:
            return
        with contextlib.suppress(MalformedInput, Unavailable):
            try:
                await self._tags.check(actor, Bill(carrier_code, number), title=document)
            except Conflict as error:
                raise _taken(
                    "double_title", f"bill {number[:40]} of {carrier_code[:8]} has a title already"
                ) from error


def _taken(code: str, what: str) -> Conflict:
    return Conflict(
        what,
        code=code,
        where="$.number",
        remedy="give the bill a number of its own: a consignment's bill cannot be replaced",
    )
