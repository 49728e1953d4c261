"""What a cosigner signs, byte by byte as C2SP tlog-cosignature lays it out."""

from __future__ import annotations

import base64
import struct

import pytest

from zhidao.core.errors import MalformedInput
from zhidao.core.keys import Algorithm
from zhidao.trust.domain.cosignature import (
    TIME_MAX,
    cosigned_message,
    subtree_message,
    timestamp_of,
)

ROOT = bytes(range(32))
TEXT = f"example.com/log\n42\n{base64.b64encode(ROOT).decode()}\n"
AT_S = 1_679_315_147


def test_the_time_is_the_first_eight_bytes() -> None:
    assert timestamp_of(struct.pack(">Q", AT_S) + b"\xff" * 64) == AT_S


def test_an_ed25519_cosigner_signs_a_line_of_time_before_the_checkpoint() -> None:
    message = cosigned_message(Algorithm.ED25519, "witness", AT_S, TEXT)
    assert message == f"cosignature/v1\ntime {AT_S}\n{TEXT}".encode()


def test_an_ml_dsa_cosigner_signs_the_subtree_from_0_to_the_size() -> None:
    message = cosigned_message(Algorithm.ML_DSA_44, "witness", AT_S, TEXT)
    assert message == b"".join(
        (
            b"subtree/v1\n\0",
            b"\x07witness",
            struct.pack(">Q", AT_S),
            b"\x0fexample.com/log",
            struct.pack(">QQ", 0, 42),
            ROOT,
        )
    )


def test_a_subtree_says_where_it_begins_and_may_say_no_time() -> None:
    message = subtree_message("w", at_s=0, origin="o", leaves=(256, 512), root=ROOT)
    assert (
        message
        == b"subtree/v1\n\0\x01w" + bytes(8) + b"\x01o" + struct.pack(">QQ", 256, 512) + ROOT
    )


@pytest.mark.parametrize("algorithm", [Algorithm.ED25519, Algorithm.ML_DSA_44])
def test_a_checkpoint_is_cosigned_at_a_time_after_zero_and_within_63_bits(
    algorithm: Algorithm,
) -> None:
    for at_s in (1, TIME_MAX):
        assert cosigned_message(algorithm, "witness", at_s, TEXT)
    assert TIME_MAX == 0x7FFF_FFFF_FFFF_FFFF
    for at_s in (-1, 0, TIME_MAX + 1):
        with pytest.raises(MalformedInput, match="no time"):
            cosigned_message(algorithm, "witness", at_s, TEXT)


def test_names_have_1_to_255_bytes() -> None:
    for name in ("w", "w" * 255, "证" * 85):
        message = subtree_message(name, at_s=0, origin="o", leaves=(0, 1), root=ROOT)
        assert message[12] == len(name.encode())
    for name in ("", "w" * 256, "证" * 86):
        for told in ({"name": name, "origin": "o"}, {"name": "w", "origin": name}):
            with pytest.raises(MalformedInput, match="at most 255"):
                subtree_message(**told, at_s=0, leaves=(0, 1), root=ROOT)


@pytest.mark.parametrize("size", ["0", "9", "10", "1" + "0" * 18])
def test_a_size_is_a_number_as_it_is_written_in_a_checkpoint(size: str) -> None:
    text = TEXT.replace("\n42\n", f"\n{size}\n")
    message = cosigned_message(Algorithm.ML_DSA_44, "witness", AT_S, text)
    assert message[-40:-32] == struct.pack(">Q", int(size))


def test_a_checkpoint_may_bear_lines_after_its_root() -> None:
    assert cosigned_message(Algorithm.ML_DSA_44, "witness", AT_S, f"{TEXT}extension\n")


@pytest.mark.parametrize(
    "text",
    [
        "",
        TEXT.removesuffix("\n"),
        f"\n{TEXT}",
        TEXT.removeprefix("example.com/log"),
        TEXT.replace("\n42\n", "\n042\n"),
        TEXT.replace("\n42\n", "\n\n"),
        TEXT.replace("\n42\n", "\n42 \n"),
        TEXT.replace("\n42\n", f"\n1{'0' * 19}\n"),
        TEXT.replace("\n42\n", "\n４２\n"),
        TEXT.replace("\n42\n", "\n-42\n"),
    ],
)
def test_only_a_checkpoint_is_cosigned(text: str) -> None:
    for algorithm in (Algorithm.ED25519, Algorithm.ML_DSA_44):
        with pytest.raises(MalformedInput, match="only checkpoints"):
            cosigned_message(algorithm, "witness", AT_S, text)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_root_has_32_bytes(length: int) -> None:
    text = f"example.com/log\n42\n{base64.b64encode(bytes(length)).decode()}\n"
    with pytest.raises(MalformedInput, match="32 bytes"):
        cosigned_message(Algorithm.ED25519, "witness", AT_S, text)
