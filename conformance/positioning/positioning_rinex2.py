"""RINEX 2: what RTKLIB rewrote from a recording of version 3 says the same as that recording."""

from __future__ import annotations

import gzip
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from conformance.rivals import rival
from conformance.verdicts import NO_DATA, judged

SUITE = "positioning-rinex2"
RTKLIB = """
import json, pyrtklib5 as r, sys
o = r.rnxopt_t()
o.rnxver, o.navsys, o.obstype, o.freqtype, o.ttol = 211, 1 | 4 | 8, 15, 7, 0.005
r.convrnx(r.STRFMT_RINEX, o, sys.argv[1], [sys.argv[2], *[""] * 8])
print(json.dumps({"done": True}))
"""


def run(shared: Path | None) -> dict[str, Any]:
    """The report; a case is one code of one system."""
    packed = shared / "positioning/rtk_static_pair/rover.obs.gz" if shared else None
    if packed is None or not packed.exists():
        return {"suite": SUITE, "skipped": NO_DATA}
    with tempfile.TemporaryDirectory(prefix="zd-") as folder:
        third, second = Path(folder) / "third.obs", Path(folder) / "second.obs"
        third.write_bytes(gzip.decompress(packed.read_bytes()))
        if rival(RTKLIB, str(third), str(second)) is None:
            return {"suite": SUITE, "skipped": "RTKLIB (pyrtklib5) cannot be installed"}
        return judged(SUITE, _compared(third.read_bytes(), second.read_bytes()))


def _compared(third: bytes, second: bytes) -> Iterator[tuple[str, bool]]:
    from zhidao.positioning.wire.rinex.observation_files import read_observations

    one, other = read_observations(third), read_observations(second)
    yield "version", other.header.version == "2.11"
    yield "epochs", bool(np.array_equal(one.gpst_ns, other.gpst_ns))
    for system, table in other.systems.items():
        full = one.systems[system]
        places = {key: row for row, key in enumerate(zip(full.epoch, full.prn, strict=True))}
        rows = [places[key] for key in zip(table.epoch, table.prn, strict=True)]
        for column, code in enumerate(table.codes):
            values = table.values[:, column]
            # RINEX 2 does not tell the attribute: one column of the band must be this one.
            found = any(
                np.allclose(values, full.values[rows, k], rtol=0, atol=6e-4, equal_nan=True)
                for k, name in enumerate(full.codes)
                if name[:2] == code[:2]
            )
            yield f"{system} {code}", found
