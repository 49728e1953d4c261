"""W3C eddsa and ecdsa cryptosuites: every step of their vectors, disclosure too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from conformance.verdicts import with_data


def run(shared: Path | None) -> dict[str, Any]:
    """The report."""
    return with_data("vc-data-integrity", shared, "trust/vc-di-ecdsa", _cases)


def _cases(folder: Path) -> Iterator[tuple[str, bool]]:
    from tests.trust.wire.credentials import test_selective_disclosure as disclosure
    from tests.trust.wire.test_w3c_vectors import cases

    yield from cases(folder.parent)
    try:
        disclosure.test_the_vector_of_the_specification_step_by_step(folder.parents[1])
    except AssertionError as error:
        yield f"ecdsa-sd-2023: {error}", False
    else:
        yield "ecdsa-sd-2023, employ, all steps", True
