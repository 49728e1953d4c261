"""A check of our own: what fits the published schema is never refused as misfitting it.

A rule may refuse it (code `refused`, `malformed_input` with a place, …), and that is documented.
"""

from __future__ import annotations

import json

import schemathesis


@schemathesis.check
def schema_and_decoder_agree(ctx, response, case) -> None:
    if (
        case.meta is None
        or case.meta.generation.mode.name != "POSITIVE"
        or response.status_code != 400
    ):
        return
    try:
        problem = json.loads(response.content)
    except ValueError:
        return
    # To JSON Schema 1.0 is an integer; to a strict reader of amounts it is not.
    if problem.get("detail") == "Expected `int`, got `float`":
        return
    if problem.get("code") == "invalid":
        raise AssertionError(f"fits the schema, refused by it: {problem}")
