"""A gate with all that stands around it, in memory."""

from __future__ import annotations

from zhidao.core.actor import Actor, Role
from zhidao.core.ambient import HandClock, SeededRandomness
from zhidao.core.errors import Unavailable
from zhidao.core.ids import IdSource, PartyId
from zhidao.core.journal import FixedKeyRing, Scribe
from zhidao.core.keys import Algorithm, SoftwareKey
from zhidao.core.timescale import Utc
from zhidao.node.adapters.memory_callers import MemoryActs, MemoryCallers, MemoryInvitations
from zhidao.node.adapters.seen_requests import MemorySeen
from zhidao.node.adapters.sign_in.memory_identities import MemoryIdentities
from zhidao.node.adapters.sign_in.memory_passkeys import MemoryPasskeys
from zhidao.node.security.administration import Administration
from zhidao.node.security.gate import Gate
from zhidao.node.security.invitations import Invitations
from zhidao.node.security.known_devices import KnownDevices
from zhidao.node.security.openid.identities import Identities
from zhidao.node.security.passkeys.passkeys import Passkeys
from zhidao.node.security.password_hashing import Passwords
from zhidao.node.security.people import People
from zhidao.node.security.person_names import PersonNames
from zhidao.node.security.tokens import Tokens

ADMIN = Actor(PartyId("node"), Role.ADMIN)
OPERATING = Actor(PartyId("node"), Role.OPERATOR)
PARTY = PartyId("exporter")
PASSWORD = "correct horse battery"
KEY = SoftwareKey(Algorithm.ED25519, b"k" * 32)


class World:
    def __init__(self) -> None:
        self.clock = HandClock(Utc.parse("2026-03-01T08:00:00Z"))
        self.acts = MemoryActs()
        self.callers = MemoryCallers(self.acts)
        self.permitted = True
        randomness = SeededRandomness(1)
        ids = IdSource(self.clock, randomness)
        scribe = Scribe(
            node=ADMIN.party,
            key=KEY,
            ring=FixedKeyRing({PARTY: KEY}),
            clock=self.clock,
            ids=ids,
            randomness=randomness,
            permit=self._permit,
        )
        self.administration = Administration(scribe, ids, self.clock, self.acts)
        passwords = Passwords(randomness.token(16))
        self.devices = KnownDevices(KEY, [KEY.public], self.clock, SeededRandomness(3))
        self.gate = Gate(
            self.callers,
            MemorySeen(),
            self.clock,
            randomness,
            self.administration,
            passwords,
            self.devices,
        )
        self.tokens = Tokens(self.callers, self.administration, self.gate, self.clock, randomness)
        names = PersonNames(self.callers)
        self.invitations = Invitations(
            self.callers,
            MemoryInvitations(self.callers, self.acts),
            self.administration,
            self.gate,
            passwords,
            self.clock,
            randomness,
            names,
        )
        self.kept_passkeys = MemoryPasskeys(self.callers, self.acts)
        self.people = People(
            self.callers, self.administration, self.gate, passwords, self.kept_passkeys, names
        )
        self.identities = Identities(
            MemoryIdentities(self.acts), self.callers, self.administration, self.clock
        )
        self.passkeys = Passkeys(
            *(self.kept_passkeys, self.callers, self.administration, self.gate, self.clock),
            randomness,
        )

    def _permit(self) -> None:
        if not self.permitted:
            raise Unavailable("recovering")

    def told(self) -> list[str]:
        """The acts so far, each of which was signed or waits."""
        return [record.pending.fact.act for record in self.acts.records]

    async def token(self, key: str = "") -> str:
        text = await self.tokens.make(ADMIN, party=PARTY, role=Role.PARTY, label="", key=key)
        await self.tokens.agree(OPERATING, text.split("_")[1])
        return text
