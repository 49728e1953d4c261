"""Cases made from the published description of the API, each sent by every kind of caller.

Which cases, and how many, is fixed by a seed and a count, so that a run finds what the last one
found. A description of a recursive type has 55,000 cases of its own: so many are drawn of each
operation, from so many first ones.
"""

from __future__ import annotations

import json
import math
import random
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

import hypothesis
import requests
import schemathesis
from schemathesis import GenerationMode
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import FailureGroup

# A rule of the house may refuse what fits the schema: 400 for a malformed text inside a field, 422
# for a rule. That the schema itself never refuses it is the check `schema_and_decoder_agree`.
_ACCEPTED: Final = "2xx 3xx 400 401 403 404 409 422 429 503".split()
_CONFIG: Final = {"checks": {"positive_data_acceptance": {"expected-statuses": _ACCEPTED}}}
# These never end.
_STREAMS: Final = frozenset(("/v1/stream", "/v1/exchange/stream"))
_FIRST_CASES: Final = 3_000
_TIMEOUT_S: Final = 20
_FINDINGS_MAX: Final = 20
# Bytes of a form of our own.
schemathesis.serializer.alias("application/vnd.zhidao.bundle", "application/octet-stream")
_KINDS: Final = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)


@dataclass(slots=True)
class Fuzzed:
    """What was sent, and what broke the API's own description."""

    sent: int = 0
    by_caller: dict[str, int] = field(default_factory=dict)
    findings: list[str] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        """Whether more findings would only repeat."""
        return len(self.findings) >= _FINDINGS_MAX


def fuzz(
    url: str,
    tokens: Mapping[str, str],
    *,
    seed: int,
    systematic: int,
    drawn: int,
    until_s: float = math.inf,
) -> Fuzzed:
    """Sends the same cases as every caller; `tokens`: by the caller's name, `` for no token.

    Of each operation at most `systematic` cases of either kind that go through its fields one by
    one (fitting the schema, and not), and `drawn` ones that fit and are drawn at random. Ends early
    at `until_s` of the monotonic clock, or when there is enough to look at.
    """
    schema = schemathesis.openapi.from_url(
        f"{url}/schema/openapi.json", config=SchemathesisConfig.from_dict(_CONFIG)
    )
    found = Fuzzed(by_caller=dict.fromkeys(tokens, 0))
    with requests.Session() as session:
        for each in schema.get_all_operations():
            operation = each.ok()
            if operation.path in _STREAMS:
                continue
            for case in _cases(schema, operation, seed, systematic, drawn):
                for caller, token in tokens.items():
                    _send(session, case, caller, token, found)
                if found.is_full or time.monotonic() > until_s:
                    return found
    return found


def schema_and_decoder_agree(_ctx: Any, response: Any, case: Any) -> None:
    """What fits the published schema is never refused as misfitting it.

    A rule may refuse it (`refused`, `malformed_input` with a place, ...), and that is documented.
    """
    if (
        case.meta is None
        or case.meta.generation.mode is not GenerationMode.POSITIVE
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


def _cases(schema: Any, operation: Any, seed: int, systematic: int, drawn: int) -> Iterator[Any]:
    own = random.Random(f"{seed} {operation.label}")
    generation = schema.config.generation_for(operation=operation)
    for kind in _KINDS:
        first = schema.iter_coverage_cases(
            operation, generation_modes=[kind], generation_config=generation
        )
        cases = list(islice(first, _FIRST_CASES))
        yield from cases if len(cases) <= systematic else own.sample(cases, systematic)
    yield from _drawn(operation, own.getrandbits(32), drawn)


def _drawn(operation: Any, seed: int, count: int) -> list[Any]:
    cases: list[Any] = []
    if not count:
        return cases

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=count,
        database=None,
        phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(operation.as_strategy())
    def draw(case: Any) -> None:
        cases.append(case)

    draw()
    return cases


def _send(session: requests.Session, case: Any, caller: str, token: str, found: Fuzzed) -> None:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    found.sent += 1
    found.by_caller[caller] += 1
    try:
        answer = case.call(session=session, headers=headers, timeout=_TIMEOUT_S)
        case.validate_response(
            answer,
            headers=headers,
            additional_checks=[schema_and_decoder_agree],
            # Sends the case again without its token; here a caller without any is one of all.
            excluded_checks=[schemathesis.checks.CHECKS.get_one("ignored_auth")],
        )
    except FailureGroup as failed:
        told = "; ".join(f"{each.title}: {each.message}" for each in failed.exceptions)
        curl = case.as_curl_command(headers={"Authorization": f"Bearer <{caller}>"})
        found.findings.append(f"{caller}: {told[:1500]}\n  {curl[:1500]}")
    except requests.RequestException as broken:
        found.findings.append(f"{caller}: {case.operation.label}: {broken}")
