-- Tokens, persons, sessions and one-time codes: small reference tables of one node.
CREATE TABLE node.token (
    token_id text NOT NULL,
    party text NOT NULL,
    role text NOT NULL,
    label text NOT NULL,
    secret_hash bytea NOT NULL,
    key text NOT NULL,
    revoked boolean NOT NULL,
    created_tai_ns bigint NOT NULL,
    PRIMARY KEY (token_id)
);
CREATE TABLE node.person (
    name text NOT NULL,
    party text NOT NULL,
    role text NOT NULL,
    password_hash text NOT NULL,
    failures integer NOT NULL,
    locked_until_tai_ns bigint,
    PRIMARY KEY (name)
);
CREATE TABLE node.session (
    secret_hash bytea NOT NULL,
    name text NOT NULL,
    party text NOT NULL,
    role text NOT NULL,
    csrf text NOT NULL,
    expires_tai_ns bigint NOT NULL,
    PRIMARY KEY (secret_hash)
);
CREATE TABLE node.code (
    secret_hash bytea NOT NULL,
    purpose text NOT NULL,
    party text NOT NULL,
    role text NOT NULL,
    expires_tai_ns bigint NOT NULL,
    PRIMARY KEY (secret_hash)
);
CREATE TABLE node.party (
    party text NOT NULL,
    name text NOT NULL,
    trade_role text NOT NULL,
    country text NOT NULL,
    PRIMARY KEY (party)
);
-- Which aggregates of which room belong to a consignment; a projection, made anew from events.
CREATE TABLE node.related (
    consignment text NOT NULL,
    room text NOT NULL,
    aggregate text NOT NULL,
    PRIMARY KEY (consignment, room, aggregate)
);
-- Messages that a consumer could not deal with five times; a person looks at them.
CREATE TABLE node.dead_letter (
    consumer text NOT NULL,
    message_id text NOT NULL,
    subject text NOT NULL,
    reason text NOT NULL,
    data bytea NOT NULL,
    dead_tai_ns bigint NOT NULL,
    PRIMARY KEY (consumer, message_id)
);
