-- How large things were, sampled over time: a few rows an hour, old ones go.
CREATE TABLE node.growth (
    at_tai_ns bigint NOT NULL,
    database_bytes bigint NOT NULL,
    free_bytes bigint NOT NULL,
    leaves bigint NOT NULL,
    PRIMARY KEY (at_tai_ns)
);
