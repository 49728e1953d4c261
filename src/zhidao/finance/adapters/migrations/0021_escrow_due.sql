-- When a conditional payment must be looked at next, by the node's clock; the few that are due are
-- found without reading the others. What stands already is due at once.
ALTER TABLE finance.escrow ADD COLUMN due_ns bigint NOT NULL DEFAULT 0;

CREATE INDEX escrow_is_due ON finance.escrow (due_ns, escrow) WHERE is_open;
