-- The exchange with other nodes. Distribution key: the document for what is on its way out, the
-- stream (sender) for what comes in, the peer for what is small.

create table exchange.peer (
    node text collate "C" not null primary key,
    organisation text not null,
    url text not null,
    keys text[] not null,
    sealing bytea not null,
    certificate text not null,
    trust text not null,
    card bytea not null,
    wanted bytea
);

create table exchange.outgoing (
    document uuid not null primary key,
    recipient text collate "C" not null,
    from_party text not null,
    to_party text not null,
    consignment text collate "C" not null,
    sequence bigint not null,
    kind text not null,
    media_type text not null,
    digest text not null,
    content text not null,
    salt bytea not null,
    envelope bytea not null,
    created_ns bigint not null,
    since_ns bigint not null,
    state text not null,
    outcome text not null,
    code text not null,
    reason text not null,
    attempts integer not null,
    received bytea not null,
    accepted bytea not null,
    decided bytea not null,
    events integer not null
);

create index outgoing_waiting on exchange.outgoing (recipient, since_ns) where state = 'waiting';
create index outgoing_newest on exchange.outgoing (created_ns, document);

-- The last number given in each stream to a peer.
create table exchange.outgoing_stream (
    recipient text collate "C" not null,
    consignment text collate "C" not null,
    last bigint not null,
    primary key (recipient, consignment)
);

create table exchange.incoming (
    sender text collate "C" not null,
    document uuid not null,
    from_party text not null,
    to_party text not null,
    consignment text collate "C" not null,
    sequence bigint not null,
    kind text not null,
    media_type text not null,
    digest text not null,
    content text not null,
    envelope bytea not null,
    received_ns bigint not null,
    state text not null,
    outcome text not null,
    code text not null,
    reason text not null,
    received bytea not null,
    accepted bytea not null,
    decided bytea not null,
    events integer not null,
    primary key (sender, document),
    unique (sender, consignment, sequence)
);

create index incoming_newest on exchange.incoming (received_ns, sender, document);

-- The last number accepted of each stream from a peer.
create table exchange.incoming_stream (
    sender text collate "C" not null,
    consignment text collate "C" not null,
    last bigint not null,
    primary key (sender, consignment)
);

create table exchange.receipt_due (
    recipient text collate "C" not null,
    document uuid not null,
    stage text not null,
    receipt bytea not null,
    primary key (recipient, document, stage)
);
