"""The rules of the TradeTrust title contracts without a machine: what each call does, or why not.

A check in milliseconds follows these rules where executing the contracts would take a quarter of a
second. A test runs random lives through both and compares states and refusals.
Source: the Solidity files of the npm package @tradetrust-tt/token-registry 5.5.1 (contracts/
TitleEscrow.sol and base/, Apache-2.0). A registry that was paused is not followed: pausing is no
part of a title's life here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, NoReturn

from zhidao.core.errors import Refused
from zhidao.trust.domain.evm import ZERO_ADDRESS, Address
from zhidao.trust.domain.title_state import TitleState

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


@dataclass(frozen=True, slots=True)
class _Title:
    """A title with what the contract remembers beside its state."""

    state: TitleState
    before_beneficiary: Address = ZERO_ADDRESS
    before_holder: Address = ZERO_ADDRESS

    @property
    def alone(self) -> bool:
        return self.state.beneficiary == self.state.holder

    def with_beneficiary(self, beneficiary: Address) -> _Title:
        """A new beneficiary ends every nomination."""
        state = replace(self.state, beneficiary=beneficiary, nominee=ZERO_ADDRESS)
        return replace(self, state=state)

    def with_holder(self, holder: Address) -> _Title:
        return replace(self, state=replace(self.state, holder=holder))

    def forgetful(self) -> _Title:
        return replace(self, before_beneficiary=ZERO_ADDRESS, before_holder=ZERO_ADDRESS)


class TitleRules:
    """All titles of one registry. Each method is one call; it gives the title after it.

    Raises Refused with the code that the contract's own error has; nothing has then changed.
    """

    def __init__(self, admin: Address, escrow_of: Callable[[bytes], Address]) -> None:
        """admin: who created the registry; it has every role at first."""
        self._escrow_of = escrow_of
        self._titles: dict[bytes, _Title] = {}
        self._admin = admin
        self._roles: set[tuple[bytes, Address]] = set()

    def grant(self, sender: Address, role: bytes, account: Address) -> None:
        """Gives a role of the registry."""
        self._check(sender == self._admin, "not_allowed")
        self._roles.add((role, account))

    def revoke(self, sender: Address, role: bytes, account: Address) -> None:
        """Takes a role away."""
        self._check(sender == self._admin, "not_allowed")
        self._check(account != self._admin, "contract_refused")
        self._roles.discard((role, account))

    def mint(
        self, sender: Address, role: bytes, title: bytes, *, beneficiary: Address, holder: Address
    ) -> TitleState:
        """The one minting of a title; a burnt title is never minted again."""
        self._check_role(sender, role)
        self._check(title not in self._titles, "title_exists")
        self._check(ZERO_ADDRESS not in (beneficiary, holder), "contract_refused")
        state = TitleState(title, self._escrow_of(title), holder=holder, beneficiary=beneficiary)
        return self._keep(_Title(state))

    def restore(self, sender: Address, role: bytes, title: bytes) -> TitleState:
        """A returned title goes back to whoever returned it."""
        self._check_role(sender, role)
        self._check(title in self._titles, "no_title")
        one = self._titles[title]
        self._check(one.state.surrendered, "not_surrendered")
        return self._keep(replace(one, state=replace(one.state, surrendered=False)))

    def burn(self, sender: Address, role: bytes, title: bytes) -> TitleState:
        """A returned title ends."""
        self._check_role(sender, role)
        self._check(title in self._titles, "contract_refused")
        one = self._titles[title]
        self._check(one.state.active, "title_inactive")
        self._check(one.state.surrendered, "not_surrendered")
        one = one.with_beneficiary(ZERO_ADDRESS).with_holder(ZERO_ADDRESS)
        return self._keep(replace(one, state=replace(one.state, active=False, surrendered=False)))

    def nominate(self, sender: Address, title: bytes, nominee: Address) -> TitleState:
        """The beneficiary names who may become the next one."""
        one = self._title(title, sender, beneficiary=True)
        self._check(one.state.beneficiary != nominee, "already_beneficiary")
        self._check(one.state.nominee != nominee, "already_nominated")
        before = ZERO_ADDRESS if one.alone else one.before_holder
        state = replace(one.state, nominee=nominee)
        return self._keep(_Title(state, ZERO_ADDRESS, before))

    def endorse(self, sender: Address, title: bytes, to: Address) -> TitleState:
        """The holder makes the nominee the beneficiary."""
        return self._keep(self._endorsed(sender, title, to))

    def transfer_holder(self, sender: Address, title: bytes, to: Address) -> TitleState:
        """The holder hands the title on."""
        return self._keep(self._handed(sender, self._title(title, sender, holder=True), to))

    def transfer(
        self, sender: Address, title: bytes, *, beneficiary: Address, holder: Address
    ) -> TitleState:
        """Both at once: first the one, then the other, under the rules of each."""
        return self._keep(self._handed(sender, self._endorsed(sender, title, beneficiary), holder))

    def reject_beneficiary(self, sender: Address, title: bytes) -> TitleState:
        """The beneficiary gives its part back to the one before."""
        one = self._title(title, sender, beneficiary=True)
        self._check(one.before_beneficiary != ZERO_ADDRESS, "no_receiver")
        self._check(not one.alone, "dual_role")
        back = one.with_beneficiary(one.before_beneficiary)
        return self._keep(replace(back, before_beneficiary=ZERO_ADDRESS))

    def reject_holder(self, sender: Address, title: bytes) -> TitleState:
        """The holder gives its part back to the one before."""
        one = self._title(title, sender, holder=True)
        self._check(one.before_holder != ZERO_ADDRESS, "no_receiver")
        self._check(not one.alone, "dual_role")
        return self._keep(replace(one.with_holder(one.before_holder), before_holder=ZERO_ADDRESS))

    def reject(self, sender: Address, title: bytes) -> TitleState:
        """Who has both parts gives both back."""
        one = self._title(title, sender, beneficiary=True, holder=True)
        befores = (one.before_beneficiary, one.before_holder)
        self._check(ZERO_ADDRESS not in befores, "no_receiver")
        back = one.with_beneficiary(one.before_beneficiary).with_holder(one.before_holder)
        return self._keep(back.forgetful())

    def give_back(self, sender: Address, title: bytes) -> TitleState:
        """Who has both parts returns the title to its issuer."""
        one = self._title(title, sender, beneficiary=True, holder=True).forgetful()
        state = replace(one.state, nominee=ZERO_ADDRESS, surrendered=True)
        return self._keep(replace(one, state=state))

    def _endorsed(self, sender: Address, title: bytes, to: Address) -> _Title:
        one = self._title(title, sender, holder=True)
        self._check(to != ZERO_ADDRESS, "no_receiver")
        self._check(one.alone or one.state.nominee == to, "not_nominated")
        before = one.state.beneficiary
        return replace(
            one.with_beneficiary(to), before_beneficiary=before, before_holder=ZERO_ADDRESS
        )

    def _handed(self, sender: Address, one: _Title, to: Address) -> _Title:
        self._check(to != ZERO_ADDRESS, "no_receiver")
        self._check(one.state.holder != to, "already_holder")
        before = ZERO_ADDRESS if one.alone else one.before_beneficiary
        return replace(one.with_holder(to), before_beneficiary=before, before_holder=sender)

    def _title(
        self, title: bytes, sender: Address, *, beneficiary: bool = False, holder: bool = False
    ) -> _Title:
        """The title, if the sender may act on it in these parts."""
        one = self._titles.get(title)
        if one is None:
            self._refuse("no_title")
        self._check(one.state.active, "title_inactive")
        self._check(not beneficiary or sender == one.state.beneficiary, "not_beneficiary")
        self._check(not holder or sender == one.state.holder, "not_holder")
        self._check(not one.state.surrendered, "title_surrendered")
        return one

    def _check_role(self, sender: Address, role: bytes) -> None:
        self._check(sender == self._admin or (role, sender) in self._roles, "not_allowed")

    def _keep(self, one: _Title) -> TitleState:
        self._titles[one.state.title] = one
        return one.state

    def _check(self, holds: bool, code: str) -> None:  # noqa: FBT001 (one condition, one code)
        if not holds:
            self._refuse(code)

    def _refuse(self, code: str) -> NoReturn:
        raise Refused(_SENTENCES[code], code=code)
