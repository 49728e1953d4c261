-- The ledger's rows are only ever added. Distribution key: shard (accounts, transfers, batches);
-- consignment (the finder of deals).

CREATE TABLE finance.validator (
    shard text NOT NULL,
    epoch bigint NOT NULL,
    holder text NOT NULL,
    PRIMARY KEY (shard)
);

CREATE TABLE finance.account (
    shard text NOT NULL,
    id uuid NOT NULL,
    ledger bigint NOT NULL,
    code integer NOT NULL,
    flags integer NOT NULL,
    PRIMARY KEY (shard, id)
);

CREATE TABLE finance.batch (
    shard text NOT NULL,
    number bigint NOT NULL,
    count integer NOT NULL,
    root bytea NOT NULL,
    head bytea NOT NULL,
    PRIMARY KEY (shard, number)
);

CREATE TABLE finance.transfer (
    shard text NOT NULL,
    id uuid NOT NULL,
    batch bigint NOT NULL,
    place integer NOT NULL,
    debit_account_id uuid NOT NULL,
    credit_account_id uuid NOT NULL,
    amount bigint NOT NULL CHECK (amount >= 0),
    pending_id uuid NOT NULL,
    user_data_128 uuid NOT NULL,
    ledger bigint NOT NULL,
    code integer NOT NULL,
    flags integer NOT NULL,
    stamped_ns bigint NOT NULL,
    PRIMARY KEY (shard, id)
);

CREATE TABLE finance.deal (
    consignment text NOT NULL,
    deal text NOT NULL,
    terminal text NOT NULL,
    is_open boolean NOT NULL,
    PRIMARY KEY (consignment, deal)
);

CREATE INDEX deal_open_of_terminal ON finance.deal (terminal) WHERE is_open;
