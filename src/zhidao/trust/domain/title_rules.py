"""The rules of the TradeTrust title contracts without a machine: what each call does, or why not.

A check in milliseconds follows these rules where executing the contracts would take a quarter of a
second. A test runs random lives through both and compares states and refusals. Who may do
what in which state stands in `title_transitions`; what each act changes, in its method here.
Source: the Solidity files of the npm package @tradetrust-tt/token-registry 5.5.1 (contracts/
TitleEscrow.sol and base/, Apache-2.0). A registry that was paused is not followed: pausing is no
part of a title's life here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from zhidao.core.errors import Refused
from zhidao.trust.domain.evm import ZERO_ADDRESS, Address
from zhidao.trust.domain.title_state import TitleState
from zhidao.trust.domain.title_transitions import (
    BURN,
    ENDORSE,
    GIVE_BACK,
    HAND_ON,
    MINT,
    NOMINATE,
    REJECT,
    REJECT_BENEFICIARY,
    REJECT_HOLDER,
    RESTORE,
    TITLE,
    Asked,
    MintedTitle,
)

# The dearest call of its kind, measured by the machine, and half as much again: with less it
# could stop halfway, which these rules cannot tell.
GAS_MINT_MIN: Final = 550_000
GAS_ACT_MIN: Final = 400_000

_SENTENCES: Final = {
    "title_exists": "this document has a title already",
    "not_holder": "the signer is not the title's holder",
    "not_beneficiary": "the signer is not the title's beneficiary",
    "title_inactive": "the title was given up and burnt",
    "title_surrendered": "the title is back with its issuer",
    "not_surrendered": "the title is not back with its issuer",
    "not_nominated": "the beneficiary did not nominate this party",
    "already_holder": "the receiver holds the title already",
    "no_receiver": "there is nobody to receive the title",
    "dual_role": "reject both roles in one transaction",
    "already_nominated": "this party is nominated already",
    "already_beneficiary": "it is the beneficiary already",
    "no_title": "no such title",
    "not_allowed": "the signer lacks the registry's role for this",
    "contract_refused": "the contract refused",
}


def _check(asked: Asked, act: str) -> None:
    broken = TITLE.why_not(asked.state, act, asked)
    if broken is not None:
        raise Refused(_SENTENCES[broken.rule], code=broken.rule)


class TitleRules:
    """All titles of one registry. Each method is one call; it gives the title after it.

    Raises Refused with the code that the contract's own error has; nothing has then changed.
    """

    def __init__(self, admin: Address, escrow_of: Callable[[bytes], Address]) -> None:
        """admin: who created the registry; it has every role at first."""
        self._escrow_of = escrow_of
        self._titles: dict[bytes, MintedTitle] = {}
        self._admin = admin
        self._roles: set[tuple[bytes, Address]] = set()

    def grant(self, sender: Address, role: bytes, account: Address) -> None:
        """Gives a role of the registry."""
        self._only_admin(sender)
        self._roles.add((role, account))

    def revoke(self, sender: Address, role: bytes, account: Address) -> None:
        """Takes a role away."""
        self._only_admin(sender)
        if account == self._admin:
            raise Refused(_SENTENCES["contract_refused"], code="contract_refused")
        self._roles.discard((role, account))

    def mint(
        self, sender: Address, role: bytes, title: bytes, *, beneficiary: Address, holder: Address
    ) -> TitleState:
        """The one minting of a title; a burnt title is never minted again."""
        allowed, one = self._has(sender, role), self._titles.get(title)
        _check(Asked(one, sender, beneficiary, holder, allowed=allowed), MINT)
        state = TitleState(title, self._escrow_of(title), holder=holder, beneficiary=beneficiary)
        return self._keep(MintedTitle(state))

    def restore(self, sender: Address, role: bytes, title: bytes) -> TitleState:
        """A returned title goes back to whoever returned it."""
        one = self._permitted(title, sender, RESTORE, role=role)
        return self._keep(replace(one, state=replace(one.state, surrendered=False)))

    def burn(self, sender: Address, role: bytes, title: bytes) -> TitleState:
        """A returned title ends."""
        one = self._permitted(title, sender, BURN, role=role)
        one = one.with_beneficiary(ZERO_ADDRESS).with_holder(ZERO_ADDRESS)
        return self._keep(replace(one, state=replace(one.state, active=False, surrendered=False)))

    def nominate(self, sender: Address, title: bytes, nominee: Address) -> TitleState:
        """The beneficiary names who may become the next one."""
        one = self._permitted(title, sender, NOMINATE, to=nominee)
        before = ZERO_ADDRESS if one.alone else one.before_holder
        state = replace(one.state, nominee=nominee)
        return self._keep(MintedTitle(state, ZERO_ADDRESS, before))

    def endorse(self, sender: Address, title: bytes, to: Address) -> TitleState:
        """The holder makes the nominee the beneficiary."""
        return self._keep(_endorsed(self._permitted(title, sender, ENDORSE, to=to), to))

    def transfer_holder(self, sender: Address, title: bytes, to: Address) -> TitleState:
        """The holder hands the title on."""
        return self._keep(_handed(sender, self._permitted(title, sender, HAND_ON, to=to), to))

    def transfer(
        self, sender: Address, title: bytes, *, beneficiary: Address, holder: Address
    ) -> TitleState:
        """Both at once: first the one, then the other, under the rules of each."""
        one = _endorsed(self._permitted(title, sender, ENDORSE, to=beneficiary), beneficiary)
        _check(Asked(one, sender, holder), HAND_ON)
        return self._keep(_handed(sender, one, holder))

    def reject_beneficiary(self, sender: Address, title: bytes) -> TitleState:
        """The beneficiary gives its part back to the one before."""
        one = self._permitted(title, sender, REJECT_BENEFICIARY)
        back = one.with_beneficiary(one.before_beneficiary)
        return self._keep(replace(back, before_beneficiary=ZERO_ADDRESS))

    def reject_holder(self, sender: Address, title: bytes) -> TitleState:
        """The holder gives its part back to the one before."""
        one = self._permitted(title, sender, REJECT_HOLDER)
        return self._keep(replace(one.with_holder(one.before_holder), before_holder=ZERO_ADDRESS))

    def reject(self, sender: Address, title: bytes) -> TitleState:
        """Who has both parts gives both back."""
        one = self._permitted(title, sender, REJECT)
        back = one.with_beneficiary(one.before_beneficiary).with_holder(one.before_holder)
        return self._keep(back.forgetful())

    def give_back(self, sender: Address, title: bytes) -> TitleState:
        """Who has both parts returns the title to its issuer."""
        one = self._permitted(title, sender, GIVE_BACK).forgetful()
        state = replace(one.state, nominee=ZERO_ADDRESS, surrendered=True)
        return self._keep(replace(one, state=state))

    def _permitted(
        self,
        title: bytes,
        sender: Address,
        act: str,
        *,
        to: Address = ZERO_ADDRESS,
        role: bytes | None = None,
    ) -> MintedTitle:
        """The title, if the table lets the sender do this. `role`: what the registry must give."""
        allowed = role is not None and self._has(sender, role)
        asked = Asked(self._titles.get(title), sender, to, allowed=allowed)
        _check(asked, act)
        return asked.title

    def _has(self, sender: Address, role: bytes) -> bool:
        return sender == self._admin or (role, sender) in self._roles

    def _only_admin(self, sender: Address) -> None:
        if sender != self._admin:
            raise Refused(_SENTENCES["not_allowed"], code="not_allowed")

    def _keep(self, one: MintedTitle) -> TitleState:
        self._titles[one.state.title] = one
        return one.state


def _endorsed(one: MintedTitle, to: Address) -> MintedTitle:
    before = one.state.beneficiary
    return replace(one.with_beneficiary(to), before_beneficiary=before, before_holder=ZERO_ADDRESS)


def _handed(sender: Address, one: MintedTitle, to: Address) -> MintedTitle:
    before = ZERO_ADDRESS if one.alone else one.before_beneficiary
    return replace(one.with_holder(to), before_beneficiary=before, before_holder=sender)
