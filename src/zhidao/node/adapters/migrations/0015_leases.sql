-- Who does what of one writer, until when by this database's clock: the epoch grows with each
-- takeover and fences whatever an earlier holder still wants to write.
CREATE TABLE node.lease (
    node_id text NOT NULL,
    role text NOT NULL,
    shard text NOT NULL,
    holder text NOT NULL,
    epoch bigint NOT NULL CHECK (epoch BETWEEN 0 AND 9007199254740991),
    renewals bigint NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    PRIMARY KEY (node_id, role, shard)
);

-- Processes of the node: what each may do, where the others reach it, when it was last alive.
CREATE TABLE node.process (
    node_id text NOT NULL,
    holder text NOT NULL,
    roles text NOT NULL,
    url text NOT NULL,
    certificate text NOT NULL,
    pass text NOT NULL,
    started_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    PRIMARY KEY (node_id, holder)
);
