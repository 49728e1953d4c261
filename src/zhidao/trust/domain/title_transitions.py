"""A title's life as a table: who may do what in which state, and what must hold.

What an act changes beside the state stands in `title_rules`. A transfer of both parts is two acts,
one after the other, each under its own rows.
Source: the Solidity files of the npm package @tradetrust-tt/token-registry 5.5.1 (contracts/
TitleEscrow.sol and base/, Apache-2.0). The refusals bear the codes of the contract's own errors.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from zhidao.core.transitions import Guard, Machine, Transition, never, rows_of
from zhidao.trust.domain.evm import ZERO_ADDRESS, Address
from zhidao.trust.domain.title_state import TitleState

UNMINTED: Final = "unminted"
UNITED: Final = "in one hand"
DIVIDED: Final = "holder and beneficiary apart"
RETURNED: Final = "back with the issuer"
BURNT: Final = "burnt"


@dataclass(frozen=True, slots=True)
class MintedTitle:
    """A title with what the contract remembers beside its state."""

    state: TitleState
    before_beneficiary: Address = ZERO_ADDRESS
    before_holder: Address = ZERO_ADDRESS

    @property
    def alone(self) -> bool:
        """Whether one party is both holder and beneficiary."""
        return self.state.beneficiary == self.state.holder

    @property
    def standing(self) -> str:
        """Its state in the table `TITLE`."""
        if not self.state.active:
            return BURNT
        if self.state.surrendered:
            return RETURNED
        return UNITED if self.alone else DIVIDED

    def with_beneficiary(self, beneficiary: Address) -> MintedTitle:
        """A new beneficiary ends every nomination."""
        state = replace(self.state, beneficiary=beneficiary, nominee=ZERO_ADDRESS)
        return replace(self, state=state)

    def with_holder(self, holder: Address) -> MintedTitle:
        """A new holder; nominations stay."""
        return replace(self, state=replace(self.state, holder=holder))

    def forgetful(self) -> MintedTitle:
        """Nobody before: there is nobody left to give anything back to."""
        return replace(self, before_beneficiary=ZERO_ADDRESS, before_holder=ZERO_ADDRESS)


@dataclass(frozen=True)
class Asked:
    """A call on a title: who signed it, to whom, and whether the registry gave it the role."""

    one: MintedTitle | None
    sender: Address = ZERO_ADDRESS
    to: Address = ZERO_ADDRESS
    holder: Address = ZERO_ADDRESS
    allowed: bool = False

    @property
    def title(self) -> MintedTitle:
        """The title, which there is in every state but the first."""
        assert self.one is not None, "an unminted title has no parts to ask for"
        return self.one

    @property
    def state(self) -> str:
        """The state of the table that the title is in."""
        return UNMINTED if self.one is None else self.one.standing


MINT: Final = "mint"
RESTORE: Final = "restore"
BURN: Final = "burn"
NOMINATE: Final = "nominate"
ENDORSE: Final = "transfer the beneficiary's part"
HAND_ON: Final = "transfer the holder's part"
REJECT_BENEFICIARY: Final = "reject the beneficiary's part"
REJECT_HOLDER: Final = "reject the holder's part"
REJECT: Final = "reject both parts"
GIVE_BACK: Final = "return to the issuer"

_Guard = Guard[Asked]
_ALLOWED: Final = _Guard(
    "the registry gave the signer this role", lambda it: it.allowed, "not_allowed"
)
_RECEIVERS: Final = _Guard(
    "both receivers are somebody",
    lambda it: ZERO_ADDRESS not in (it.to, it.holder),
    "contract_refused",
)
_BENEFICIARY: Final = _Guard(
    "the signer is the beneficiary",
    lambda it: it.sender == it.title.state.beneficiary,
    "not_beneficiary",
)
_HOLDER: Final = _Guard(
    "the signer is the holder", lambda it: it.sender == it.title.state.holder, "not_holder"
)
_OTHER_BENEFICIARY: Final = _Guard(
    "it names another than the beneficiary",
    lambda it: it.title.state.beneficiary != it.to,
    "already_beneficiary",
)
_OTHER_NOMINEE: Final = _Guard(
    "it names another than the nominee",
    lambda it: it.title.state.nominee != it.to,
    "already_nominated",
)
_SOMEBODY: Final = _Guard("there is a receiver", lambda it: it.to != ZERO_ADDRESS, "no_receiver")
_NOMINATED: Final = _Guard(
    "the receiver is nominated", lambda it: it.title.state.nominee == it.to, "not_nominated"
)
_OTHER_HOLDER: Final = _Guard(
    "the receiver is another than the holder",
    lambda it: it.title.state.holder != it.to,
    "already_holder",
)
_BENEFICIARY_BEFORE: Final = _Guard(
    "there was a beneficiary before",
    lambda it: it.title.before_beneficiary != ZERO_ADDRESS,
    "no_receiver",
)
_HOLDER_BEFORE: Final = _Guard(
    "there was a holder before", lambda it: it.title.before_holder != ZERO_ADDRESS, "no_receiver"
)
_TO_HOLDER: Final = _Guard("to the holder", lambda it: it.to == it.title.state.holder)
_TO_ANOTHER: Final = _Guard("to another", lambda it: it.to != it.title.state.holder)
_TO_BENEFICIARY: Final = _Guard(
    "to the beneficiary", lambda it: it.to == it.title.state.beneficiary
)
_TO_A_THIRD: Final = _Guard("to another", lambda it: it.to != it.title.state.beneficiary)
_BACK_TO_HOLDER: Final = _Guard(
    "who was it before is the holder now",
    lambda it: it.title.before_beneficiary == it.title.state.holder,
)
_BACK_TO_ANOTHER: Final = _Guard(
    "who was it before is not the holder",
    lambda it: it.title.before_beneficiary != it.title.state.holder,
)
_BACK_TO_BENEFICIARY: Final = _Guard(
    "who was it before is the beneficiary now",
    lambda it: it.title.before_holder == it.title.state.beneficiary,
)
_BACK_TO_A_THIRD: Final = _Guard(
    "who was it before is not the beneficiary",
    lambda it: it.title.before_holder != it.title.state.beneficiary,
)
_BOTH_BACK_TO_ONE: Final = _Guard(
    "one had both before",
    lambda it: it.title.before_beneficiary == it.title.before_holder,
)
_BOTH_BACK_TO_TWO: Final = _Guard(
    "two had them before",
    lambda it: it.title.before_beneficiary != it.title.before_holder,
)

_LIVING: Final = (UNITED, DIVIDED)
_WHO: Final = {
    NOMINATE: (_BENEFICIARY,),
    ENDORSE: (_HOLDER,),
    HAND_ON: (_HOLDER,),
    REJECT_BENEFICIARY: (_BENEFICIARY,),
    REJECT_HOLDER: (_HOLDER,),
    REJECT: (_BENEFICIARY, _HOLDER),
    GIVE_BACK: (_BENEFICIARY, _HOLDER),
}
_BOTH: Final = "who is both"

TITLE: Final = Machine[Asked](
    "title",
    UNMINTED,
    (
        Transition(
            UNMINTED,
            MINT,
            "registry's minter",
            UNITED,
            (_ALLOWED, _RECEIVERS, _Guard("to one", lambda it: it.to == it.holder)),
        ),
        Transition(
            UNMINTED,
            MINT,
            "registry's minter",
            DIVIDED,
            (_ALLOWED, _RECEIVERS, _Guard("to two", lambda it: it.to != it.holder)),
        ),
        *rows_of(
            _LIVING, NOMINATE, "beneficiary", "", _BENEFICIARY, _OTHER_BENEFICIARY, _OTHER_NOMINEE
        ),
        Transition(UNITED, ENDORSE, "holder", UNITED, (_HOLDER, _SOMEBODY, _TO_HOLDER)),
        Transition(UNITED, ENDORSE, "holder", DIVIDED, (_HOLDER, _SOMEBODY, _TO_ANOTHER)),
        Transition(
            DIVIDED, ENDORSE, "holder", UNITED, (_HOLDER, _SOMEBODY, _NOMINATED, _TO_HOLDER)
        ),
        Transition(
            DIVIDED, ENDORSE, "holder", DIVIDED, (_HOLDER, _SOMEBODY, _NOMINATED, _TO_ANOTHER)
        ),
        Transition(UNITED, HAND_ON, "holder", DIVIDED, (_HOLDER, _SOMEBODY, _OTHER_HOLDER)),
        Transition(
            DIVIDED,
            HAND_ON,
            "holder",
            UNITED,
            (_HOLDER, _SOMEBODY, _OTHER_HOLDER, _TO_BENEFICIARY),
        ),
        Transition(
            DIVIDED,
            HAND_ON,
            "holder",
            DIVIDED,
            (_HOLDER, _SOMEBODY, _OTHER_HOLDER, _TO_A_THIRD),
        ),
        Transition(
            DIVIDED,
            REJECT_BENEFICIARY,
            "beneficiary",
            UNITED,
            (_BENEFICIARY, _BENEFICIARY_BEFORE, _BACK_TO_HOLDER),
        ),
        Transition(
            DIVIDED,
            REJECT_BENEFICIARY,
            "beneficiary",
            DIVIDED,
            (_BENEFICIARY, _BENEFICIARY_BEFORE, _BACK_TO_ANOTHER),
        ),
        Transition(
            DIVIDED,
            REJECT_HOLDER,
            "holder",
            UNITED,
            (_HOLDER, _HOLDER_BEFORE, _BACK_TO_BENEFICIARY),
        ),
        Transition(
            DIVIDED,
            REJECT_HOLDER,
            "holder",
            DIVIDED,
            (_HOLDER, _HOLDER_BEFORE, _BACK_TO_A_THIRD),
        ),
        Transition(
            UNITED,
            REJECT,
            _BOTH,
            UNITED,
            (_BENEFICIARY, _HOLDER, _BENEFICIARY_BEFORE, _HOLDER_BEFORE, _BOTH_BACK_TO_ONE),
        ),
        Transition(
            UNITED,
            REJECT,
            _BOTH,
            DIVIDED,
            (_BENEFICIARY, _HOLDER, _BENEFICIARY_BEFORE, _HOLDER_BEFORE, _BOTH_BACK_TO_TWO),
        ),
        Transition(UNITED, GIVE_BACK, _BOTH, RETURNED, (_BENEFICIARY, _HOLDER)),
        Transition(RETURNED, RESTORE, "registry's restorer", UNITED, (_ALLOWED,)),
        Transition(RETURNED, BURN, "registry's accepter", BURNT, (_ALLOWED,)),
    ),
    {
        **{(UNMINTED, act): (never("no_title", ""),) for act in _WHO},
        **{(BURNT, act): (never("title_inactive", ""),) for act in _WHO},
        **{(RETURNED, act): (*who, never("title_surrendered", "")) for act, who in _WHO.items()},
        (UNITED, REJECT_BENEFICIARY): (_BENEFICIARY, _BENEFICIARY_BEFORE, never("dual_role", "")),
        (UNITED, REJECT_HOLDER): (_HOLDER, _HOLDER_BEFORE, never("dual_role", "")),
        (DIVIDED, REJECT): (_BENEFICIARY, _HOLDER),
        (DIVIDED, GIVE_BACK): (_BENEFICIARY, _HOLDER),
        **{
            (state, MINT): (_ALLOWED, never("title_exists", ""))
            for state in (*_LIVING, RETURNED, BURNT)
        },
        (UNMINTED, RESTORE): (_ALLOWED, never("no_title", "")),
        (UNMINTED, BURN): (_ALLOWED, never("contract_refused", "")),
        (BURNT, BURN): (_ALLOWED, never("title_inactive", "")),
        **{
            (state, act): (_ALLOWED, never("not_surrendered", ""))
            for state, act in (
                *((state, BURN) for state in _LIVING),
                *((state, RESTORE) for state in (*_LIVING, BURNT)),
            )
        },
    },
)
