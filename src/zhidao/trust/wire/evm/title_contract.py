"""The TradeTrust token registry 5.5.1 as bytes: its calls, what its events say, why it reverts.

Source: the Solidity files in the npm package @tradetrust-tt/token-registry 5.5.1 (contracts/,
Apache-2.0); a test compares these signatures with the package's own interface files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from zhidao.core.errors import MalformedInput, Refused
from zhidao.trust.domain.evm import WORD_BYTES, Address, LogEntry, Outcome
from zhidao.trust.domain.title_state import TitleEvent
from zhidao.trust.wire.evm import abi
from zhidao.trust.wire.evm.keccak import clone_address, created_address, keccak256

# SHA-256 and size of the creation codes as published; the same stand in the build step.
FACTORY_SHA256: Final = "13c6d3522d627873e542914f4363ad93ebd255cf622f2a4eaff2686e6a24857d"
TOKEN_SHA256: Final = "2de53831c6c4da831f76e087512514e0189567f4ca0a7ec3a8c811be584e3e6d"  # noqa: S105 (a digest)
FACTORY_BYTES: Final = 20_024
TOKEN_BYTES: Final = 19_464
REGISTRY_NAME: Final = "Zhidao bills of lading"
REGISTRY_SYMBOL: Final = "ZHBL"
# RegistryAccess.sol: each role is the digest of its own name.
MINTER_ROLE: Final = keccak256(b"MINTER_ROLE")
RESTORER_ROLE: Final = keccak256(b"RESTORER_ROLE")
ACCEPTER_ROLE: Final = keccak256(b"ACCEPTER_ROLE")
# What a reader of the log is told of a transaction that gives the role.
ROLE_PURPOSES: Final = {
    MINTER_ROLE: "let mint",
    RESTORER_ROLE: "let restore",
    ACCEPTER_ROLE: "let burn",
}
# TitleEscrow.sol and TradeTrustSBT.sol: remarkLengthLimit.
REMARK_BYTES_MAX: Final = 120

MINT: Final = "mint(address,address,uint256,bytes)"
GRANT_ROLE: Final = "grantRole(bytes32,address)"
TRANSFER_OWNERS: Final = "transferOwners(address,address,bytes)"
TRANSFER_HOLDER: Final = "transferHolder(address,bytes)"
ENDORSE: Final = "transferBeneficiary(address,bytes)"
NOMINATE: Final = "nominate(address,bytes)"
REJECT_OWNERS: Final = "rejectTransferOwners(bytes)"
REJECT_HOLDER: Final = "rejectTransferHolder(bytes)"
REJECT_BENEFICIARY: Final = "rejectTransferBeneficiary(bytes)"
RETURN: Final = "returnToIssuer(bytes)"
RESTORE: Final = "restore(uint256,bytes)"
BURN: Final = "burn(uint256,bytes)"
# What a call to the registry or to an escrow is called in `TitleMoved.action`.
ACTIONS: Final = {
    MINT: "mint",
    RESTORE: "restore",
    BURN: "burn",
    TRANSFER_OWNERS: "transfer",
    TRANSFER_HOLDER: "transfer",
    ENDORSE: "endorse",
    NOMINATE: "nominate",
    REJECT_OWNERS: "reject",
    REJECT_HOLDER: "reject",
    REJECT_BENEFICIARY: "reject",
    RETURN: "surrender",
}
ROLE_CALLS: Final = (GRANT_ROLE, "revokeRole(bytes32,address)")
_CALLS: Final = (*ACTIONS, *ROLE_CALLS)
_EVENTS: Final = {
    # name: (types of the indexed words, types of the data)
    "TitleEscrowCreated": (("address", "address", "uint256"), ()),
    "TokenReceived": (("address", "address", "bool"), ("address", "uint256", "bytes")),
    "BeneficiaryTransfer": (("address", "address"), ("address", "uint256", "bytes")),
    "HolderTransfer": (("address", "address"), ("address", "uint256", "bytes")),
    "Nomination": (("address", "address"), ("address", "uint256", "bytes")),
    "ReturnToIssuer": (("address",), ("address", "uint256", "bytes")),
    "Shred": ((), ("address", "uint256", "bytes")),
}
# Error of the contracts -> our code and a sentence. All others answer with their own name.
_REASONS: Final = {
    "TokenExists()": ("title_exists", "this document has a title already"),
    "CallerNotHolder()": ("not_holder", "the signer is not the title's holder"),
    "CallerNotBeneficiary()": ("not_beneficiary", "the signer is not the title's beneficiary"),
    "InactiveTitleEscrow()": ("title_inactive", "the title was given up and burnt"),
    "TitleEscrowNotHoldingToken()": ("title_surrendered", "the title is back with its issuer"),
    "TokenNotReturnedToIssuer()": ("not_surrendered", "the title is not back with its issuer"),
    "InvalidNominee()": ("not_nominated", "the beneficiary did not nominate this party"),
    "RecipientAlreadyHolder()": ("already_holder", "the receiver holds the title already"),
    "InvalidTransferToZeroAddress()": ("no_receiver", "there is nobody to receive the title"),
    "DualRoleRejectionRequired()": ("dual_role", "reject both roles in one transaction"),
    "NomineeAlreadyNominated()": ("already_nominated", "this party is nominated already"),
    "TargetNomineeAlreadyBeneficiary()": ("already_beneficiary", "it is the beneficiary already"),
    "RemarkLengthExceeded()": ("remark_too_long", f"a remark has {REMARK_BYTES_MAX} bytes at most"),
    "RegistryContractPaused()": ("registry_paused", "the registry is paused"),
    "EnforcedPause()": ("registry_paused", "the registry is paused"),
    "InvalidTokenId()": ("no_title", "no such title"),
    "InvalidTokenId(uint256)": ("no_title", "no such title"),
    "FailedDeployment()": ("out_of_gas", "the gas did not suffice for the title's contract"),
    "AccessControlUnauthorizedAccount(address,bytes32)": (
        "not_allowed",
        "the signer lacks the registry's role for this",
    ),
}
_REVERT_TEXT: Final = "Error(string)"


@dataclass(frozen=True, slots=True)
class Call:
    """A decoded call: the function's signature and its arguments."""

    signature: str
    values: tuple[abi.Value, ...]

    @property
    def action(self) -> str:
        """What `TitleMoved.action` says, or `` if it moves no title."""
        return ACTIONS.get(self.signature, "")


@dataclass(frozen=True, slots=True)
class Registry:
    """Where a node's title contracts stand; all follows from its registrar's account."""

    factory: Address
    implementation: Address
    token: Address

    @classmethod
    def of(cls, registrar: Address) -> Registry:
        """The registrar's first transaction creates the factory, its second the registry."""
        factory = created_address(registrar, 0)
        # The factory is a contract, whose own count starts at 1 (EIP-161).
        return cls(factory, created_address(factory, 1), created_address(registrar, 1))

    def escrow(self, title: bytes) -> Address:
        """The one escrow contract that a title has or will have (TitleEscrowFactory.sol)."""
        return clone_address(self.factory, keccak256(self.token + title), self.implementation)


def registry_code(token_code: bytes, factory: Address) -> bytes:
    """Creation code of the registry: the published code and its constructor's arguments."""
    kinds = ("string", "string", "address")
    return token_code + abi.encode(kinds, (REGISTRY_NAME, REGISTRY_SYMBOL, factory))


def is_factory_code(data: bytes) -> bool:
    """Whether creation code is the published factory's, unchanged."""
    return len(data) == FACTORY_BYTES and hashlib.sha256(data).hexdigest() == FACTORY_SHA256


def is_registry_code(data: bytes, factory: Address) -> bool:
    """Whether creation code is the published registry's, set up with this factory."""
    code = data[:TOKEN_BYTES]
    return hashlib.sha256(code).hexdigest() == TOKEN_SHA256 and data == registry_code(code, factory)


def mint_call(title: bytes, owner: Address) -> bytes:
    """Mints a title to one account, as holder and beneficiary."""
    return abi.encode_call(MINT, (owner, owner, int.from_bytes(title, "big"), b""))


def transfer_call(receiver: Address) -> bytes:
    """Moves both roles to one account; the sender must have both."""
    return abi.encode_call(TRANSFER_OWNERS, (receiver, receiver, b""))


def grant_call(role: bytes, account: Address) -> bytes:
    """Gives an account a role in the registry."""
    return abi.encode_call(GRANT_ROLE, (role, account))


def act_call(signature: str, title: bytes, receiver: Address, remark: bytes) -> bytes:
    """A call in a title's life; of title and receiver it takes what the function asks for."""
    owners = (receiver, receiver)
    chosen: dict[str, tuple[abi.Value, ...]] = {
        TRANSFER_OWNERS: owners,
        **dict.fromkeys((TRANSFER_HOLDER, ENDORSE, NOMINATE), (receiver,)),
        **dict.fromkeys((RESTORE, BURN), (int.from_bytes(title, "big"),)),
    }
    return abi.encode_call(signature, (*chosen.get(signature, ()), remark))


def remark_of(call: Call) -> bytes:
    """The remark inside a call that moves a title; each of them ends with one."""
    last = call.values[-1] if call.action and call.values else b""
    return last if isinstance(last, bytes) else b""


def call_of(data: bytes) -> Call | None:
    """The call inside call data, or None if it is none of the registry's or not canonical."""
    signature = _BY_SELECTOR.get(data[:4])
    if signature is None:
        return None
    try:
        return Call(signature, abi.decode(abi.types_of(signature), data[4:]))
    except MalformedInput:
        return None


def events_of(logs: Sequence[LogEntry]) -> tuple[TitleEvent, ...]:
    """The title contracts' events among log entries, in order; others are left out.

    The caller checks that the address is the registry's, its factory's or one of its escrows'.
    """
    found = (_event_of(log) for log in logs)
    return tuple(event for event in found if event is not None)


def refusal_of(outcome: Outcome) -> Refused:
    """The typed refusal behind a failed outcome."""
    if outcome.failure != "revert":
        return Refused(f"the machine stopped: {outcome.failure}", code="execution_failed")
    head = outcome.output[:4]
    if head == abi.selector(_REVERT_TEXT):
        try:
            (text,) = abi.decode(("string",), outcome.output[4:])
        except MalformedInput:
            text = "a reason that nobody can read"
        return Refused(f"the contract refused: {text!s}", code="contract_refused")
    for signature, (code, sentence) in _REASONS.items():
        if head == abi.selector(signature):
            return Refused(sentence, code=code)
    return Refused(f"the contract refused with 0x{head.hex()}", code="contract_refused")


def _event_of(log: LogEntry) -> TitleEvent | None:
    name = _BY_TOPIC.get(log.topics[0]) if log.topics else None
    if name is None:
        return None
    indexed, plain = _EVENTS[name]
    if len(log.topics) != len(indexed) + 1 or any(len(t) != WORD_BYTES for t in log.topics):
        return None
    try:
        words = [abi.decode_word(k, w) for k, w in zip(indexed, log.topics[1:], strict=True)]
        return TitleEvent(name, log.address, (*words, *abi.decode(plain, log.data)))
    except MalformedInput:
        return None


def _signature(name: str) -> str:
    indexed, plain = _EVENTS[name]
    return f"{name}({','.join((*indexed, *plain))})"


_BY_SELECTOR: Final = {abi.selector(signature): signature for signature in _CALLS}
_BY_TOPIC: Final = {abi.topic(_signature(name)): name for name in _EVENTS}
# First topics of all events that tell of titles, as a chain is asked for them.
EVENT_TOPICS: Final = tuple("0x" + topic.hex() for topic in _BY_TOPIC)
