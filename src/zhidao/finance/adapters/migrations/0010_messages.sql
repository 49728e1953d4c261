-- Payment messages by their ids: an id is used once between a bank and another. The bytes are in the
-- archive. mark: the first eight bytes of the digest, which the ledger's transfers bear.
-- Distribution key: bank.

CREATE TABLE finance.message (
    bank text COLLATE "C" NOT NULL,
    other text COLLATE "C" NOT NULL,
    message text COLLATE "C" NOT NULL,
    definition text NOT NULL,
    digest text NOT NULL,
    mark bigint NOT NULL,
    PRIMARY KEY (bank, other, message)
);

CREATE INDEX message_of_mark ON finance.message (bank, mark);
