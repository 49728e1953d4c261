from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from zhidao.core.errors import MalformedInput
from zhidao.insight.wire.packs import decode_pack, installed_packs

LINES = st.lists(
    st.sampled_from(
        (
            'format = "zhidao.standard-pack.v1"',
            *('id = "x"', 'name = "X"', 'version = "1"', 'source = "s"', 'licence = "l"'),
            *("looked_at = 2026-11-30", 'applies_to = ["code"]', 'texts = "not at hand"'),
            *("[[item]]", 'en = "a?"', 'zh = "b"', 'answered_by = ["file"]', "levels = [1]"),
            *("item = 1", "texts = [1]", "levels = [[]]", "id = 1", 'settled_by = ["x"]', "[item]"),
        )
    ),
    max_size=20,
)


@given(st.binary(max_size=200) | LINES.map(lambda lines: "\n".join(lines).encode()))
def test_any_bytes_are_a_pack_or_refused(data: bytes):
    try:
        pack = decode_pack(data, where="x.toml")
    except MalformedInput:
        return
    assert pack.questions


def test_each_installed_pack_reads_and_ids_are_single():
    packs = installed_packs()
    assert len({pack.digest for pack in packs}) == len(packs) == 7
