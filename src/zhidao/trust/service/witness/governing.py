"""Believing a governed trust list: its signatures, and whether a quorum saw it in a log."""

from __future__ import annotations

from dataclasses import replace

from zhidao.core.errors import Refused
from zhidao.trust.domain.governance import GovernedList, version_leaf
from zhidao.trust.service.witness.policy_check import judge_file
from zhidao.trust.wire.governance.governance import GovernedFile, verify_governed


def believe(
    file: GovernedFile, *, pinned: str | None = None, before: GovernedList | None = None
) -> GovernedList:
    """The list with its freshness.

    Raises what `verify_governed` does; `rolled_back` or `forked_list` against `before` (a version
    known already), `bad_inclusion`, `quorum_not_met` and `unknown_log` if the enclosed log proof
    does not hold.
    """
    found = verify_governed(file, pinned=pinned)
    if before is not None:
        found.check_follows(before)
    if not file.seen:
        return found
    if found.trust.policy is None:
        raise Refused("the list names no witnesses that could have seen it", code="quorum_not_met")
    judged = judge_file(file.seen, found.trust.policy, leaf_of(found))
    return replace(found, fresh=judged.witnessed)


def leaf_of(found: GovernedList) -> bytes:
    """The open leaf that a log bears for this version."""
    return version_leaf(found.trust.name, found.version, found.digest)
