"""Messages to programs: JSON over https, signed with the node's key (RFC 9421 over RFC 9530)."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Final

import msgspec

from zhidao.core.ambient import Clock
from zhidao.core.canonical import jcs
from zhidao.core.errors import Unavailable
from zhidao.core.keys import Signer
from zhidao.core.timescale import NS
from zhidao.node.adapters.notifications.outward import Outward
from zhidao.node.notifications.message import Address, Item, Message, WebhookBody, WebhookItem
from zhidao.node.notifications.ports import AddressEnded
from zhidao.node.security.http_signatures import ALGORITHM_LABELS, content_digest

TAG: Final = "zhidao-webhook"
_COVERED: Final = '("@method" "@target-uri" "content-digest" "content-type" "webhook-id")'
_GONE: Final = 410


class Webhook:
    """Implements `Transport`. `signer` gives the key in force."""

    def __init__(
        self, outward: Outward, signer: Callable[[], Signer], clock: Clock, *, node: str, page: str
    ) -> None:
        self._outward = outward
        self._signer = signer
        self._clock = clock
        self._node = node
        self._page = page

    async def send(self, address: Address, message: Message, items: Sequence[Item]) -> None:
        """Posts the message to the program's address; see the port."""
        body = jcs(
            msgspec.to_builtins(
                WebhookBody(
                    id=message.id,
                    node=self._node,
                    person=message.person,
                    about=message.about,
                    made_at=str(message.made_at),
                    page=f"{self._page}/waiting",
                    items=[
                        WebhookItem(
                            kind=each.kind, act=each.act, subject=each.subject, label=each.label
                        )
                        for each in items
                    ],
                )
            )
        )
        now_s = self._clock.now().unix_ns // NS
        headers = signed_headers(
            address.target, body, message=message.id, signer=self._signer(), created_s=now_s
        )
        status = await self._outward.post(address.target, body, headers)
        if status == _GONE:
            raise AddressEnded("the webhook answers 410", code="webhook_gone")
        if not 200 <= status < 300:
            raise Unavailable(f"the webhook answers {status}", code="webhook_answer")


def signed_headers(
    url: str, body: bytes, *, message: str, signer: Signer, created_s: int
) -> dict[str, str]:
    """The header fields of a signed webhook. `webhook-id` is the message's, the same each time."""
    digest = content_digest(body)
    label = ALGORITHM_LABELS.get(signer.public.algorithm.label, "")
    named = f';alg="{label}"' if label else ""
    parameters = (
        f'{_COVERED};created={created_s};keyid="{signer.public.multikey}"{named};tag="{TAG}"'
    )
    base = "\n".join(
        (
            '"@method": POST',
            f'"@target-uri": {url}',
            f'"content-digest": {digest}',
            '"content-type": application/json',
            f'"webhook-id": {message}',
            f'"@signature-params": {parameters}',
        )
    )
    signature = base64.b64encode(signer.sign(base.encode())).decode()
    return {
        "content-type": "application/json",
        "content-digest": digest,
        "webhook-id": message,
        "signature-input": f"webhook={parameters}",
        "signature": f"webhook=:{signature}:",
    }
