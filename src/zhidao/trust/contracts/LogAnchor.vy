# pragma version 0.4.3
# @title LogAnchor
# @license Apache-2.0
# @notice Keeps the newest head of each publisher's log, so that no older one can take its place.
#         Anybody publishes, under his own address only. It proves that a head stood in a block;
#         whether heads of two sizes are of one history, their consistency proof shows off chain.

struct Head:
    size: uint256
    root: bytes32

event Anchored:
    publisher: indexed(address)
    log_id: indexed(bytes32)
    size: uint256
    root: bytes32

# By publisher, then by the SHA-256 of the log's origin.
heads: public(HashMap[address, HashMap[bytes32, Head]])


@external
def anchor(log_id: bytes32, size: uint256, root: bytes32):
    """
    @notice Sets the caller's head of a log; the size only grows.
    """
    assert size > self.heads[msg.sender][log_id].size, "not larger"
    self.heads[msg.sender][log_id] = Head(size=size, root=root)
    log Anchored(publisher=msg.sender, log_id=log_id, size=size, root=root)
