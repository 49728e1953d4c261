"""BeiDou short messages: sentences of the field, read and written back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from conformance.verdicts import told_by


def run(shared: Path | None) -> dict[str, Any]:
    """The report."""
    from tests.connectivity.wire.test_rdss import test_sentences_of_the_field

    return told_by("rdss-sentences", shared, test_sentences_of_the_field)
