"""Rows that somebody wrote past the node are told by name, whatever else is in them."""

from __future__ import annotations

import pytest

from zhidao.node.adapters import records_check
from zhidao.store.database import Database

pytestmark = pytest.mark.service


async def test_a_row_that_nobody_added_is_told_even_with_a_time_that_is_none(
    database: Database,
) -> None:
    async with database.session() as session:
        await session.execute(
            "INSERT INTO node.passkey (credential_id, name, label, host, public_key, sign_count,"
            " created_tai_ns) VALUES ('c', 'aida', 'phone', 'localhost', 'k', 0, 0)",
            (),
        )
        await session.execute(
            "INSERT INTO node.identity (issuer, claim, value, name, made_tai_ns)"
            " VALUES ('https://evil.example.org', 'sub', 'x', 'aida', 0)",
            (),
        )
        passkeys = await records_check._passkeys(session, {})
        identities = await records_check._identities(session, {})
    assert [each.partition(":")[0] for each in passkeys + identities] == [
        "passkeys are not what was added and removed",
        "identities are not what was added and removed",
    ]
