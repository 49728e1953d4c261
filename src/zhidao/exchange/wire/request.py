"""A signed request to a peer: RFC 9421 over the RFC 9530 digest of its body.

Covered: @method, @authority, @path, content-digest and content-type. `keyid` is the node's public
key as a Multikey; `tag` says what the signature is for (RFC 9421 section 2.3).
"""

from __future__ import annotations

import base64
import hashlib
from typing import Final

from zhidao.core.keys import Signer

REQUEST_TAG: Final = "zhidao-exchange"
_COVERED: Final = '("@method" "@authority" "@path" "content-digest" "content-type")'


def content_digest(body: bytes) -> str:
    """The Content-Digest field of a body (RFC 9530 section 2), with SHA-256."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def signed_headers(
    *, authority: str, path: str, body: bytes, content_type: str, signer: Signer, created_s: int
) -> dict[str, str]:
    """The header fields of a signed POST. `authority` as RFC 9421 section 2.2.3 wants it."""
    digest = content_digest(body)
    parameters = (
        f'{_COVERED};created={created_s};keyid="{signer.public.multikey}"'
        f';alg="ed25519";tag="{REQUEST_TAG}"'
    )
    base = "\n".join(
        (
            '"@method": POST',
            f'"@authority": {authority}',
            f'"@path": {path}',
            f'"content-digest": {digest}',
            f'"content-type": {content_type}',
            f'"@signature-params": {parameters}',
        )
    )
    signature = base64.b64encode(signer.sign(base.encode())).decode()
    return {
        "content-type": content_type,
        "content-digest": digest,
        "signature-input": f"exchange={parameters}",
        "signature": f"exchange=:{signature}:",
    }
