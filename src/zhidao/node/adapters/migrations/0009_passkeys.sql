-- Passkeys (WebAuthn) that people added to their passwords. `host`: the only name of this node under
-- which one works. `sign_count`: what the authenticator counted at its last use, 0 if it counts
-- nothing. `falls`: it goes when the party agrees to the new password that an admin gave.
CREATE TABLE node.passkey (
    credential_id bytea PRIMARY KEY,
    name text NOT NULL,
    label text NOT NULL,
    host text NOT NULL,
    public_key bytea NOT NULL,
    sign_count bigint NOT NULL,
    falls boolean NOT NULL DEFAULT false,
    created_tai_ns bigint NOT NULL,
    used_tai_ns bigint NOT NULL DEFAULT 0
);
CREATE INDEX passkey_of_name ON node.passkey (name);
