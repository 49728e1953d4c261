-- What a drill of a backup found, until the node signs it: a command did it beside the node.
CREATE TABLE node.waiting_drill (
    drill_id uuid PRIMARY KEY,
    drill bytea NOT NULL
);
