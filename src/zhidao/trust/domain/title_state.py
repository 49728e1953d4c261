"""A title as the contracts' events tell it: who holds it, who benefits, whether it still lives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Final

from zhidao.trust.domain.evm import ZERO_ADDRESS, Address

TITLE_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class TitleEvent:
    """One event of the title contracts: its name, who emitted it, indexed then plain values."""

    name: str
    address: Address
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class TitleState:
    """A title after some events. `title` is the token id; zero addresses mean nobody.

    `surrendered`: back with the issuer, who may restore or burn it. Not `active`: burnt.
    """

    title: bytes
    escrow: Address
    holder: Address = ZERO_ADDRESS
    beneficiary: Address = ZERO_ADDRESS
    nominee: Address = ZERO_ADDRESS
    surrendered: bool = False
    active: bool = True

    @property
    def sole_owner(self) -> Address | None:
        """The account that is both holder and beneficiary of a living title, or None."""
        alone = self.holder == self.beneficiary and self.active and not self.surrendered
        return self.holder if alone else None

    def after(self, event: TitleEvent) -> TitleState:
        """The state after one event of this title's escrow."""
        match event.name:
            case "BeneficiaryTransfer":
                return replace(self, beneficiary=Address(event.values[1]))
            case "HolderTransfer":
                return replace(self, holder=Address(event.values[1]))
            case "Nomination":
                return replace(self, nominee=Address(event.values[1]))
            case "ReturnToIssuer":
                return replace(self, surrendered=True)
            case "TokenReceived":
                return replace(self, surrendered=False)
            case "Shred":
                return replace(self, active=False, surrendered=False)
            case _:
                return self


class TitleBook:
    """All titles of one registry, kept by folding its events."""

    def __init__(self, *, registry: Address, factory: Address) -> None:
        self._registry = registry
        self._factory = factory
        self._states: dict[bytes, TitleState] = {}
        self._by_escrow: dict[Address, bytes] = {}

    def get(self, title: bytes) -> TitleState | None:
        """The title's state, or None if it was never minted here."""
        return self._states.get(title)

    def states(self) -> tuple[TitleState, ...]:
        """All titles as they stand."""
        return tuple(self._states.values())

    def restore(self, states: Iterable[TitleState]) -> None:
        """Takes titles over as they stood."""
        for state in states:
            self._states[state.title] = state
            self._by_escrow[state.escrow] = state.title

    def apply(self, events: tuple[TitleEvent, ...]) -> tuple[TitleState, ...]:
        """Folds the events of one transaction; returns the titles touched, each once.

        Events of contracts that this registry did not create are not ours and count nothing.
        """
        touched: dict[bytes, None] = {}
        for event in events:
            title = self._title_of(event)
            if title is not None:
                self._states[title] = self._states[title].after(event)
                touched[title] = None
        return tuple(self._states[title] for title in touched)

    def _title_of(self, event: TitleEvent) -> bytes | None:
        if event.name != "TitleEscrowCreated":
            return self._by_escrow.get(event.address)
        escrow, registry, token_id = event.values
        # Anyone may ask the factory for an escrow of a registry of his own.
        if event.address != self._factory or registry != self._registry:
            return None
        title: bytes = token_id.to_bytes(TITLE_BYTES, "big")
        self._by_escrow[Address(escrow)] = title
        self._states[title] = TitleState(title=title, escrow=Address(escrow))
        return title
