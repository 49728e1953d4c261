# pragma version 0.4.3
# @title TitleGuard
# @license Apache-2.0
# @notice An account that has titles for one owner. Where the owner has lost its key, a threshold of
#         guardians names another one, who takes over when the time lock has run out; until then
#         the owner, if it is still there, cancels. Guardians can do nothing else. It guards against
#         a lost key and not against a stolen one: a thief moves the title, or cancels.

GUARDIANS_MAX: constant(uint256) = 9
DELAY_S_MIN: constant(uint256) = 86_400

event Acted:
    target: indexed(address)

event Supported:
    guardian: indexed(address)
    candidate: indexed(address)
    count: uint256

event Chosen:
    candidate: indexed(address)
    due: uint256

event Cancelled:
    owner: indexed(address)

event Recovered:
    former: indexed(address)
    owner: indexed(address)

owner: public(address)
is_guardian: public(HashMap[address, bool])
threshold: public(uint256)
delay_s: public(uint256)
# Who takes over, and from when on; empty where nobody is chosen.
candidate: public(address)
due: public(uint256)
# Support counts within its round only; a cancellation or recovery begins the next.
turn: public(uint256)
supported: HashMap[uint256, HashMap[address, HashMap[address, bool]]]
counts: HashMap[uint256, HashMap[address, uint256]]


@deploy
def __init__(
    owner: address, guardians: DynArray[address, GUARDIANS_MAX], threshold: uint256, delay_s: uint256
):
    assert owner != empty(address), "no owner"
    assert 0 < threshold and threshold <= len(guardians), "no threshold"
    assert delay_s >= DELAY_S_MIN, "too short a lock"
    for guardian: address in guardians:
        assert guardian not in [empty(address), owner], "no guardian"
        assert not self.is_guardian[guardian], "twice a guardian"
        self.is_guardian[guardian] = True
    self.owner = owner
    self.threshold = threshold
    self.delay_s = delay_s


@external
def act(target: address, data: Bytes[1024]):
    """
    @notice Calls a contract in this account's name; what it refuses, this refuses.
    """
    assert msg.sender == self.owner, "not the owner"
    raw_call(target, data)
    log Acted(target=target)


@external
def support(candidate: address):
    """
    @notice A guardian speaks for a new owner; with enough of them the lock begins to run.
    """
    assert self.is_guardian[msg.sender], "not a guardian"
    assert candidate not in [empty(address), self.owner], "no candidate"
    assert not self.supported[self.turn][candidate][msg.sender], "supported already"
    self.supported[self.turn][candidate][msg.sender] = True
    count: uint256 = self.counts[self.turn][candidate] + 1
    self.counts[self.turn][candidate] = count
    log Supported(guardian=msg.sender, candidate=candidate, count=count)
    if count >= self.threshold and self.candidate == empty(address):
        self.candidate = candidate
        self.due = block.timestamp + self.delay_s
        log Chosen(candidate=candidate, due=self.due)


@external
def cancel():
    """
    @notice The owner is still there: whoever was supported or chosen is so no more.
    """
    assert msg.sender == self.owner, "not the owner"
    self._next_turn()
    log Cancelled(owner=msg.sender)


@external
def recover():
    """
    @notice The chosen one takes over, when the lock has run out. Anybody may say so.
    """
    assert self.candidate != empty(address), "nobody is chosen"
    assert block.timestamp >= self.due, "too early"
    former: address = self.owner
    self.owner = self.candidate
    self._next_turn()
    log Recovered(former=former, owner=self.owner)


@internal
def _next_turn():
    self.turn += 1
    self.candidate = empty(address)
    self.due = 0
