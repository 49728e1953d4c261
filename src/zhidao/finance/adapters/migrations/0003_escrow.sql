-- The finder of conditional payments. Distribution key: escrow; the rows that speak of a
-- consignment are found by an index on each shard.
CREATE TABLE finance.escrow (
    escrow text COLLATE "C" NOT NULL,
    is_open boolean NOT NULL,
    PRIMARY KEY (escrow)
);

CREATE TABLE finance.escrow_consignment (
    escrow text COLLATE "C" NOT NULL,
    consignment text NOT NULL,
    PRIMARY KEY (escrow, consignment)
);

CREATE INDEX escrow_is_open ON finance.escrow (escrow) WHERE is_open;
CREATE INDEX escrow_of_consignment ON finance.escrow_consignment (consignment);
