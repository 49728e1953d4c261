-- Who agreed to a token or person in its party's name (empty: nobody yet), persons withdrawn, and
-- acts of administration that wait for the node's signature.
ALTER TABLE node.token ADD COLUMN agreed text NOT NULL DEFAULT 'earlier';
ALTER TABLE node.person ADD COLUMN waiting_hash text NOT NULL DEFAULT '';
ALTER TABLE node.person ADD COLUMN agreed text NOT NULL DEFAULT 'earlier';
ALTER TABLE node.person ADD COLUMN withdrawn boolean NOT NULL DEFAULT false;
CREATE TABLE node.waiting_act (
    act_id uuid NOT NULL,
    act bytea NOT NULL,
    PRIMARY KEY (act_id)
);
