"""Sealed files against the `age` program itself, and every way in which they can be wrong."""

from __future__ import annotations

import io
import random
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.ambient import SeededRandomness
from zhidao.core.errors import MalformedInput, Refused, ZhidaoError
from zhidao.store.age import MAGIC, AgeReader, AgeWriter, identities_in, recipient_of

# A throw-away pair, made by age-keygen for this test.
RECIPIENT = "age1qsmn4vh0nggcsm6kv9wmwq7sm4dhwt2rssgcdl2nr7hz8xq0vfysjnvj0s"
IDENTITY = "AGE-SECRET-KEY-1XN0SGS8TZWXAKQG6K8WV0HA4J753YWTMJEETQNYW49YMU0JQ843QSR7D98"
OTHER = "AGE-SECRET-KEY-1CDHRXP43X8SUPQN4UVPZV6TX4NNRCGJ98CHZ8HSEDQCVD80A242SCSE2GN"
CHUNK = 64 * 1024
SIZES = (0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 200_000)
needs_age = pytest.mark.skipif(shutil.which("age") is None, reason="no age program here")


def sealed(data: bytes, seed: int = 1) -> bytes:
    out = io.BytesIO()
    writer = AgeWriter(out, recipient_of(RECIPIENT), SeededRandomness(seed))
    for first in range(0, len(data), 10_007):
        writer.write(data[first : first + 10_007])
    writer.close()
    return out.getvalue()


def opened(data: bytes, identity: str = IDENTITY) -> bytes:
    return AgeReader(io.BytesIO(data), identities_in(identity)).read(2**30)


@pytest.mark.parametrize("size", SIZES)
def test_what_was_sealed_is_opened(size: int) -> None:
    plain = random.Random(size).randbytes(size)
    assert opened(sealed(plain)) == plain


@needs_age
@pytest.mark.parametrize("size", SIZES)
def test_the_age_program_opens_ours_and_we_open_its(size: int, tmp_path: Path) -> None:
    plain = random.Random(size).randbytes(size)
    key = tmp_path / "key"
    key.write_text(IDENTITY)
    theirs = subprocess.run(
        ["age", "-d", "-i", key], input=sealed(plain), capture_output=True, check=True
    )
    assert theirs.stdout == plain
    made = subprocess.run(["age", "-r", RECIPIENT], input=plain, capture_output=True, check=True)
    assert opened(made.stdout) == plain


def test_it_is_read_again_from_its_beginning() -> None:
    plain = bytes(range(256)) * 1000
    reader = AgeReader(io.BytesIO(sealed(plain)), identities_in(IDENTITY))
    assert reader.read(70_000) == plain[:70_000]
    assert reader.tell() == 70_000
    reader.rewind()
    assert (reader.tell(), reader.read(2**20)) == (0, plain)


@given(st.data())
def test_a_change_of_any_bit_is_noticed(data: st.DataObject) -> None:
    whole = bytearray(sealed(b"x" * 700))
    bit = data.draw(st.integers(0, len(whole) * 8 - 1))
    whole[bit // 8] ^= 1 << bit % 8
    with pytest.raises(ZhidaoError):
        opened(bytes(whole))


@pytest.mark.parametrize("kept", [0, 10, 30, 150, 200, 300, CHUNK, CHUNK + 16, 2 * CHUNK])
def test_a_missing_end_is_told_so(kept: int) -> None:
    whole = sealed(b"x" * 3 * CHUNK)
    code = "not_sealed" if kept < len(MAGIC) else "backup_truncated"
    with pytest.raises(MalformedInput) as caught:
        opened(whole[:kept])
    assert caught.value.code == code


def test_an_end_at_a_chunk_s_border_is_truncated() -> None:
    whole = sealed(b"x" * 3 * CHUNK)
    with pytest.raises(MalformedInput) as caught:
        opened(whole[: -(CHUNK + 16)])
    assert caught.value.code == "backup_truncated"


def test_chunks_do_not_change_places() -> None:
    whole = sealed(random.Random(2).randbytes(3 * CHUNK))
    step = CHUNK + 16
    head = len(whole) - 3 * step
    swapped = whole[:head] + whole[head + step : head + 2 * step] + whole[head : head + step]
    with pytest.raises(MalformedInput) as caught:
        opened(swapped + whole[head + 2 * step :])
    assert caught.value.code == "backup_damaged"


def test_another_s_identity_does_not_open_it() -> None:
    with pytest.raises(Refused) as caught:
        opened(sealed(b"x"), OTHER)
    assert caught.value.code == "not_sealed_to_you"


@pytest.mark.parametrize(
    "text",
    ["", "age1", RECIPIENT[:-1], RECIPIENT + "q", RECIPIENT.replace("age", "Age"), IDENTITY, "道"],
)
def test_what_is_no_recipient_is_refused(text: str) -> None:
    with pytest.raises(MalformedInput) as caught:
        recipient_of(text)
    assert caught.value.code == "bad_recipient"


def test_a_file_without_an_identity_is_refused() -> None:
    for text in ("", "# only a remark\n", RECIPIENT, "ssh-ed25519 AAAA"):
        with pytest.raises(MalformedInput) as caught:
            identities_in(text)
        assert caught.value.code == "bad_identity"
    assert identities_in(f"# made today\n{IDENTITY}\n") == identities_in(IDENTITY)
