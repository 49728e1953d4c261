-- Since when this node's own trust list says what it says: by the digest of what it says, its time
-- left out. So two downloads of one list are the same bytes with the same root.
CREATE TABLE node.trust_list (
    digest bytea PRIMARY KEY CHECK (length(digest) = 32),
    since timestamptz NOT NULL
);
