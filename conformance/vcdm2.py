"""W3C Verifiable Credentials 2.0: credentials of the data model's own suite, by their verdicts.

Left out: presentations, and inputs that only a JSON-LD context can judge.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from conformance.verdicts import with_data
from zhidao.core.errors import MalformedInput
from zhidao.trust.domain.credential import check_credential


def run(shared: Path | None) -> dict[str, Any]:
    """The report."""
    return with_data("vcdm2-inputs", shared, "trust/vcdm2", _cases)


def _cases(folder: Path) -> Iterator[tuple[str, bool]]:
    from tests.trust.domain.test_credential import _BY_CONTEXT_ONLY, _issued

    for name, document in json.loads((folder / "inputs.json").read_text()).items():
        if name.startswith("presentation-") or name in _BY_CONTEXT_ONLY:
            continue
        if "no-issuer" not in name:
            _issued(document)
        try:
            check_credential(document)
            accepted = True
        except MalformedInput:
            accepted = False
        yield name, accepted == ("-ok" in name)
