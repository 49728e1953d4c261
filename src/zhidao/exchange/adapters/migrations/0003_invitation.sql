-- One-time links by which another node's operator takes this node's invitation. `taken`: the
-- invitation of the node that took it, for the operator here to look at.
create table exchange.invitation (
    secret_hash bytea not null,
    state text not null,
    expires_tai_ns bigint not null,
    taken bytea not null default '',
    primary key (secret_hash)
);
