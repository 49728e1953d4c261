-- A batch becomes one value of records (128 bytes each, little-endian) beside a narrow row for each
-- id: that halves what a transfer costs, and a replay reads whole batches in order.
-- Distribution key: shard.

CREATE TABLE finance.records (
    shard text COLLATE "C" NOT NULL,
    batch bigint NOT NULL,
    first_ns bigint NOT NULL,
    last_ns bigint NOT NULL,
    data bytea NOT NULL,
    failures bytea NOT NULL,
    PRIMARY KEY (shard, batch)
);

-- Records do not compress; kept apart from the row, a single one can be read from the middle.
ALTER TABLE finance.records ALTER COLUMN data SET STORAGE EXTERNAL;

-- Every id for ever, so that none moves money twice. place: within the batch; from 2^30 on: failed.
CREATE TABLE finance.transfer_id (
    shard text COLLATE "C" NOT NULL,
    id uuid NOT NULL,
    batch bigint NOT NULL,
    place integer NOT NULL,
    PRIMARY KEY (shard, id)
);

-- Each reservation is posted or voided once: the key holds even if a validator erred.
CREATE TABLE finance.resolution (
    shard text COLLATE "C" NOT NULL,
    pending_id uuid NOT NULL,
    posted boolean NOT NULL,
    PRIMARY KEY (shard, pending_id)
);

-- What a restart begins with, in parts; only the newest two are kept.
CREATE TABLE finance.snapshot (
    shard text COLLATE "C" NOT NULL,
    batch bigint NOT NULL,
    part integer NOT NULL,
    data bytea NOT NULL,
    PRIMARY KEY (shard, batch, part)
);

ALTER TABLE finance.snapshot ALTER COLUMN data SET STORAGE EXTERNAL;

ALTER TABLE finance.account ADD COLUMN user_data_128 uuid NOT NULL
    DEFAULT '00000000-0000-0000-0000-000000000000';
ALTER TABLE finance.account ADD COLUMN user_data_64 bigint NOT NULL DEFAULT 0;
ALTER TABLE finance.account ADD COLUMN user_data_32 bigint NOT NULL DEFAULT 0;
ALTER TABLE finance.account ADD COLUMN stamped_ns bigint NOT NULL DEFAULT 0;
-- The order of opening is the order in the tree of balances.
ALTER TABLE finance.account ADD COLUMN place bigint NOT NULL DEFAULT 0;

-- What stands already is carried over: each field's bytes in little-endian order, field by field.
INSERT INTO finance.records (shard, batch, first_ns, last_ns, data, failures)
SELECT t.shard, t.batch, min(t.stamped_ns), max(t.stamped_ns),
    string_agg(r.record, ''::bytea ORDER BY t.place), ''::bytea
FROM finance.transfer t CROSS JOIN LATERAL (
    SELECT string_agg(substr(f.value, i, 1), ''::bytea ORDER BY f.field, i DESC) AS record
    FROM (VALUES
        (1, uuid_send(t.id)), (2, uuid_send(t.debit_account_id)),
        (3, uuid_send(t.credit_account_id)), (4, int8send(t.amount)), (5, int8send(0)),
        (6, uuid_send(t.pending_id)), (7, uuid_send(t.user_data_128)), (8, int8send(0)),
        (9, int8send(0)), (10, substr(int8send(t.ledger), 5, 4)),
        (11, substr(int4send(t.code), 3, 2)), (12, substr(int4send(t.flags), 3, 2)),
        (13, int8send(t.stamped_ns))
    ) f (field, value) CROSS JOIN LATERAL generate_series(1, length(f.value)) i
) r
GROUP BY t.shard, t.batch;

INSERT INTO finance.transfer_id (shard, id, batch, place)
SELECT shard, id, batch, place FROM finance.transfer;

INSERT INTO finance.resolution (shard, pending_id, posted)
SELECT shard, pending_id, flags & 4 <> 0 FROM finance.transfer WHERE flags & 12 <> 0;

UPDATE finance.account a SET place = p.place FROM (
    SELECT shard, id, row_number() OVER (PARTITION BY shard ORDER BY id) AS place
    FROM finance.account
) p WHERE a.shard = p.shard AND a.id = p.id;

DROP TABLE finance.transfer;
