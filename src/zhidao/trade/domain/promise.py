"""What an entry promises that a proof of its consignment shows in the end."""

from __future__ import annotations

from typing import Final

ARRIVAL: Final = "arrival"
TITLE: Final = "title"
PAYMENT: Final = "payment"
PAPERS: Final = "papers"
WITNESSED: Final = "witnessed"
# In the order in which they are told.
PARTS: Final = (ARRIVAL, TITLE, PAYMENT, PAPERS, WITNESSED)


def promised(*, witnessed: bool) -> list[str]:
    """What a consignment entered at a node promises.

    Every entry names goods in a container, a carrier, two banks and its papers, so all of these are
    promised. `witnessed`: a policy of the node asks witnesses for its log.
    """
    return [part for part in PARTS if witnessed or part != WITNESSED]
