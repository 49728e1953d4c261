-- What callers asked under which key of theirs, for a day. `caller`, `key` and `request` are SHA-256;
-- `sealed` is the answer under a key that is not in the database, empty while there is none.
CREATE TABLE node.idempotency_key (
    caller bytea NOT NULL,
    key bytea NOT NULL,
    hour bigint NOT NULL,
    request bytea NOT NULL,
    sealed bytea NOT NULL,
    PRIMARY KEY (caller, key)
);
CREATE INDEX idempotency_key_hour ON node.idempotency_key (hour);
