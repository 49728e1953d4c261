from __future__ import annotations

import pytest
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


PACK = (
    'format = "zhidao.standard-pack.v1"\nid = "x"\nname = "X"\nversion = "1"\nsource = "s"\n'
    'licence = "l"\nlooked_at = 2026-11-30\napplies_to = ["code"]\ntexts = "not at hand"\n'
    '[[item]]\nid = "1"\nen = "a?"\nzh = "b"\nanswered_by = ["person"]\n'
)


@pytest.mark.parametrize("setting", ['"x"', '["x"]', '["x", ""]', '["x", "y", "z"]', "[1, 2]"])
def test_where_to_look_is_told_in_both_languages_or_refused(setting: str):
    told = decode_pack(f'{PACK}setting = ["there", "那里"]\n'.encode(), where="x.toml")
    assert told.questions[0].setting == ("there", "那里")
    with pytest.raises(MalformedInput):
        decode_pack(f"{PACK}setting = {setting}\n".encode(), where="x.toml")
