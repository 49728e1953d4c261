-- Signed requests that were used, by the minute in which they were signed and the SHA-256 of key,
-- nonce and signature base; kept for as long as such a request would be taken.
CREATE TABLE node.seen_request (
    minute bigint NOT NULL,
    mark bytea NOT NULL,
    PRIMARY KEY (minute, mark)
);
