"""How many broadcast messages of each kind a navigation file holds, used or not."""

from __future__ import annotations

from collections import Counter

import numpy as np

from zhidao.positioning.domain.satellites.ephemeris import MESSAGES
from zhidao.positioning.wire.compression import plain_text
from zhidao.positioning.wire.fixed import Lines
from zhidao.positioning.wire.rinex.header import version_and_type
from zhidao.positioning.wire.rinex.navigation import (
    NAVIGATION_BYTES_MAX,
    WITH_GLONASS,
    read_navigation,
)


def message_counts(data: bytes) -> Counter[str]:
    """Records by message: CNAV, CNV1, D1 and so on; `legacy` where RINEX 2 and 3 do not tell.

    Every record counts, several of one satellite and time too. Raises MalformedInput as
    `read_navigation` does.
    """
    lines = Lines(plain_text(data, bytes_max=NAVIGATION_BYTES_MAX))
    version, _ = version_and_type(lines)
    if version.startswith("4"):
        # RINEX 4.00 section 8.2: each ephemeris begins with `> EPH satellite message`.
        starts = np.flatnonzero(lines.lead(slice(0, len(lines))) == ord(">")).tolist()
        words = (lines.text(number)[1:].split() for number in starts)
        return Counter(told[2] for told in words if len(told) > 2 and told[0] == "EPH")
    counts: Counter[str] = Counter()
    # Older versions hold legacy messages; Galileo tells I/NAV from F/NAV.
    for family in (WITH_GLONASS, {"E": ("FNAV",)}):
        found = read_navigation(data, messages=family)
        counts.update(MESSAGES[kind] or "legacy" for kind in found.ephemerides.message.tolist())
        if found.glonass is not None and len(found.glonass):
            counts["FDMA"] += len(found.glonass)
    return counts
