-- The trust list by which a peer was admitted: it names the peer's log and its parties.
alter table exchange.peer add column listed bytea not null default '';

-- What the node itself has to decide about, in the order in which it came.
create index incoming_undecided on exchange.incoming (received_ns) where state = 'accepted';
