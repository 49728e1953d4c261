-- Credits, conditional payments and netting cycles by the names that their owners gave them: the
-- same name of two owners is two of them. What was opened before stands under its name alone and
-- is not in here. Distribution key: name.
CREATE TABLE finance.named (
    name text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    owner text COLLATE "C" NOT NULL,
    PRIMARY KEY (name, kind, owner)
);
