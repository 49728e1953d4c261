-- One-time links by which somebody sets the own password. `seen`: SHA-256 over what the person's
-- password was when the link was made, so that a newer one makes it void.
CREATE TABLE node.invitation (
    secret_hash bytea NOT NULL,
    name text NOT NULL,
    seen text NOT NULL,
    counts boolean NOT NULL,
    state text NOT NULL,
    expires_tai_ns bigint NOT NULL,
    PRIMARY KEY (secret_hash)
);
CREATE INDEX invitation_name ON node.invitation (name);
-- The block of addresses that a session was opened from, so that its person knows it again.
ALTER TABLE node.session ADD COLUMN block text NOT NULL DEFAULT '';
