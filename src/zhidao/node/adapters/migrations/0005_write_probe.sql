-- One row that the node writes every few seconds, so that readiness tells whether it can.
CREATE TABLE node.write_probe (
    probe smallint NOT NULL,
    written_at timestamptz NOT NULL,
    PRIMARY KEY (probe)
);
