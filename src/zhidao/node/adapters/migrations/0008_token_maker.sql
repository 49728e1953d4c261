-- The person who made a token and so saw its secret: whoever leaves may take it along.
ALTER TABLE node.token ADD COLUMN made_by text NOT NULL DEFAULT '';
