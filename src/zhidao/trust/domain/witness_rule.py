"""The one rule of a witness: a log only grows from the head that was cosigned before.

Source: C2SP tlog-witness 1.1 (add-checkpoint; c2sp.org, revision 8d775627).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from zhidao.core.errors import Conflict, MalformedInput, Refused
from zhidao.trust.domain.merkle import EMPTY_ROOT, verify_consistency
from zhidao.trust.domain.note import Checkpoint


@dataclass(frozen=True, slots=True)
class HeldHead:
    """The newest head of a log that a witness cosigned: size, root, when, and the signed note."""

    size: int = 0
    root: bytes = EMPTY_ROOT
    at_s: int = 0
    note: bytes = b""


class OldSizeDiffers(Conflict):
    """The request does not start from the head that the witness holds; `size` tells which."""

    default_code = "old_size_differs"

    def __init__(self, size: int) -> None:
        super().__init__(f"this witness holds a head of {size} leaves", remedy="prove from there")
        self.size = size


def check_growth(
    held: HeldHead, *, old_size: int, proof: Sequence[bytes], checkpoint: Checkpoint
) -> None:
    """Whether the checkpoint continues what is held.

    Raises MalformedInput if the old size is beyond the new one, OldSizeDiffers, and Refused
    (`inconsistent`) if the proof fails or one size has two roots.
    """
    if old_size > checkpoint.size:
        raise MalformedInput(f"the old size {old_size} is beyond the checkpoint's")
    if old_size != held.size:
        raise OldSizeDiffers(held.size)
    if checkpoint.size == held.size:
        if checkpoint.root != held.root or proof:
            raise Refused(
                f"a head of {held.size} leaves with another root is held already",
                code="inconsistent",
            )
        return
    try:
        verify_consistency(
            first=held.size,
            second=checkpoint.size,
            first_root=held.root,
            second_root=checkpoint.root,
            proof=proof,
        )
    except Refused as error:
        raise Refused(
            f"the checkpoint is not proven to continue the head of {held.size} leaves",
            code="inconsistent",
        ) from error
