"""Tokens: made for a party, agreed to by it, withdrawn at once."""

from __future__ import annotations

import contextlib
import hashlib
from typing import Final

from zhidao.core.access import CALLER, access
from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import Clock, Randomness
from zhidao.core.encoding import base64url
from zhidao.core.errors import Conflict, Forbidden, NotFound, Refused
from zhidao.core.ids import PartyId
from zhidao.core.text.plain_text import refuse_untidy
from zhidao.node.security.administration import Act, Administration, console
from zhidao.node.security.agreement import agreed_by_maker, agreement
from zhidao.node.security.callers import BEFORE, EARLIER, OPERATOR, WAITS, Callers, Token
from zhidao.node.security.gate import Gate

MAY_MAKE: Final = access(Role.ADMIN)
MAY_AGREE: Final = access(Role.ADMIN, Role.OPERATOR, Role.PARTY)
MAY_WITHDRAW: Final = access(Role.ADMIN, Role.PARTY)


class Tokens:
    """Makes tokens and withdraws them; each act leaves its trace."""

    def __init__(
        self,
        callers: Callers,
        administration: Administration,
        gate: Gate,
        clock: Clock,
        randomness: Randomness,
    ) -> None:
        self._callers = callers
        self._administration = administration
        self._gate = gate
        self._clock = clock
        self._randomness = randomness

    async def make(
        self, actor: Actor, *, party: PartyId, role: Role, label: str, key: str = ""
    ) -> str:
        """A new token's text, shown once and never stored.

        One for another party than the actor's opens nothing until that party agrees.
        """
        MAY_MAKE.admit(actor)
        if role is Role.NODE:
            raise Refused("the node itself needs no token")
        refuse_untidy(label, path="$.label")
        token_id = self._randomness.token(8).hex()
        secret = base64url(self._randomness.token(32))
        token = Token(
            token_id,
            party,
            role,
            label,
            hashlib.sha256(secret.encode()).digest(),
            self._clock.now(),
            key,
            agreed=agreed_by_maker(actor, party),
            made_by=actor.person,
        )
        record = self._administration.record(
            actor,
            Act.TOKEN_MADE,
            subject=token_id,
            party=party,
            values={"agreed": token.agreed, "label": label, "made": digest_of(token)},
        )
        await self._callers.add_token(token, record)
        return f"zd_{token_id}_{secret}"

    async def every(self, actor: Actor) -> list[Token]:
        """All tokens, without their secrets; a party sees its own."""
        CALLER.admit(actor)
        everything = actor.role is not Role.PARTY
        tokens = await self._callers.tokens()
        return [each for each in tokens if everything or each.party == actor.party]

    async def waiting_for(self, actor: Actor) -> list[Token]:
        """Tokens that open nothing until the actor agrees."""
        found = []
        for each in await self.every(actor):
            if each.revoked or each.agreed != WAITS:
                continue
            with contextlib.suppress(Forbidden):
                await agreement(actor, each.party, self._callers, role=each.role)
                found.append(each)
        return found

    async def agree(self, actor: Actor, token_id: str) -> None:
        """Agrees to a token in its party's name. Raises NotFound, Forbidden, Conflict."""
        MAY_AGREE.admit(actor)
        token = await self._known(actor, token_id)
        by = await agreement(actor, token.party, self._callers, role=token.role)
        if token.agreed not in (WAITS, OPERATOR) or token.agreed == by:
            raise Conflict(f"the party has agreed to the token {token_id}", code="agreed_already")
        record = self._administration.record(
            actor,
            Act.TOKEN_AGREED,
            subject=token_id,
            party=token.party,
            values={"agreed": by, "made": digest_of(token)},
        )
        if not await self._callers.agree_token(token_id, by, record):
            raise _unknown(token_id)
        self._gate.forget_token(token_id)

    async def withdraw(self, actor: Actor, token_id: str) -> None:
        """Withdraws a token at once; a party may withdraw its own. Raises NotFound, Forbidden."""
        MAY_WITHDRAW.admit(actor)
        token = await self._known(actor, token_id)
        if actor.role is not Role.ADMIN:
            # A party's own token does not withdraw another: a person of the party does.
            await agreement(actor, token.party, self._callers)
        record = self._administration.record(
            actor, Act.TOKEN_WITHDRAWN, subject=token_id, party=token.party
        )
        known = await self._callers.revoke_token(token_id, record)
        # After the update, and once more for a request that was reading the old row meanwhile.
        self._gate.forget_token(token_id)
        if not known:
            raise _unknown(token_id)

    async def adopt_earlier(self) -> None:
        """Writes down, once, tokens that were made before acts left a trace."""
        for token in await self._callers.tokens():
            if token.agreed == EARLIER and not token.revoked:
                record = self._administration.record(
                    console(self._administration.node),
                    Act.EARLIER_ADOPTED,
                    subject=token.id,
                    party=token.party,
                    values={"kind": "token", "agreed": BEFORE, "made": digest_of(token)},
                )
                await self._callers.agree_token(token.id, BEFORE, record)

    async def _known(self, actor: Actor, token_id: str) -> Token:
        token = await self._callers.token(token_id)
        hidden = actor.role is Role.PARTY and token is not None and token.party != actor.party
        if token is None or token.revoked or hidden:
            raise _unknown(token_id)
        return token


def digest_of(token: Token) -> str:
    """What an act says of a token, so that a changed row shows: SHA-256 over all that it opens."""
    parts = (token.id, token.party, token.role.value, token.key, token.secret_hash.hex())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _unknown(token_id: str) -> NotFound:
    return NotFound(f"no token {token_id}")
