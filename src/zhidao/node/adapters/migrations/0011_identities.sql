-- Identities of a provider (OpenID Connect) by which people sign in: the claim that names somebody
-- there, and whose it is here. One of a provider for each person.
CREATE TABLE node.identity (
    issuer text NOT NULL,
    claim text NOT NULL,
    value text NOT NULL,
    name text NOT NULL,
    made_tai_ns bigint NOT NULL,
    PRIMARY KEY (issuer, claim, value),
    UNIQUE (issuer, name)
);
