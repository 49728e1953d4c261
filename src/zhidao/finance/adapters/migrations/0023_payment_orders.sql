-- The finder of payments that wait for their day: when each order must be looked at next, by the
-- node's clock. What is due is found without reading the others. Distribution key: payment_order.
CREATE TABLE finance.payment_order (
    payment_order text COLLATE "C" NOT NULL,
    is_open boolean NOT NULL,
    due_ns bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (payment_order)
);

CREATE INDEX payment_order_is_due ON finance.payment_order (due_ns, payment_order) WHERE is_open;
