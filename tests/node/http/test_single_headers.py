"""Who asks stands once in a request."""

from __future__ import annotations

import pytest

from zhidao.core.errors import MalformedInput
from zhidao.node.http.single_headers import SINGLE, check_single


@pytest.mark.parametrize("name", sorted(SINGLE))
def test_of_two_none_is_taken(name: bytes) -> None:
    check_single({"headers": [(name, b"a"), (b"accept", b"*/*"), (b"accept", b"text/html")]})
    with pytest.raises(MalformedInput) as refused:
        check_single({"headers": [(name, b"a"), (b"accept", b"*/*"), (name, b"a")]})
    assert (refused.value.code, refused.value.where) == ("repeated_header", name.decode().title())
