-- Balances as they were behind every few batches, of the accounts that moved in between: a moment's
-- balance is found without reading the ledger up to it. Distribution key: shard.
CREATE TABLE finance.written_balance (
    shard text COLLATE "C" NOT NULL,
    account uuid NOT NULL,
    batch bigint NOT NULL,
    balance numeric(39) NOT NULL,
    PRIMARY KEY (shard, account, batch)
);

CREATE TABLE finance.written_until (
    shard text COLLATE "C" NOT NULL,
    batch bigint NOT NULL,
    PRIMARY KEY (shard)
);

CREATE INDEX records_by_time ON finance.records (shard, first_ns);
