-- The finder of payments versus payment: a row for each deal from before its first event on, and one
-- of each pair of banks and ledgers that a deal ended between. quote and sold_minor stand from the
-- deal's end on. Distribution key: bank.
CREATE TABLE finance.pvp_deal (
    bank text COLLATE "C" NOT NULL,
    deal text COLLATE "C" NOT NULL,
    is_open boolean NOT NULL,
    quote text COLLATE "C" NOT NULL DEFAULT '',
    sold_minor bigint NOT NULL DEFAULT 0 CHECK (sold_minor >= 0),
    PRIMARY KEY (bank, deal)
);

CREATE INDEX pvp_deal_is_open ON finance.pvp_deal (deal) WHERE is_open;
CREATE INDEX pvp_deal_of_quote ON finance.pvp_deal (bank, quote) WHERE sold_minor > 0;

CREATE TABLE finance.pvp_channel (
    bank text COLLATE "C" NOT NULL,
    channel text COLLATE "C" NOT NULL,
    deal text COLLATE "C" NOT NULL,
    PRIMARY KEY (bank, channel)
);

-- What stands already is open until the next start has looked at it. '0' follows '/' in "C".
INSERT INTO finance.pvp_deal (bank, deal, is_open)
SELECT split_part(aggregate, '/', 2), aggregate, true FROM finance.event
WHERE aggregate > 'pvp-deal/' AND aggregate < 'pvp-deal0' AND version = 1;
