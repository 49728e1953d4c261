"""JT/T 808: frames of real devices, and messages with the field values of the standard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from conformance.verdicts import told_by


def run(shared: Path | None) -> dict[str, Any]:
    """Both sets in one report."""
    from tests.devices.wire import test_jt808_vectors as vectors

    frames = told_by("jt808", shared, vectors.test_real_device_frames)
    if "skipped" in frames:
        return frames
    messages = told_by("jt808", shared, vectors.test_standard_messages)
    return {
        "suite": "jt808",
        "passed": frames["passed"] + messages["passed"],
        "total": frames["total"] + messages["total"],
        "failed": frames["failed"] + messages["failed"],
    }
