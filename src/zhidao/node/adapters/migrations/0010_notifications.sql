-- Who is told what, and by which channel: small tables of one node. `told` holds what waits for a person
-- and was told; a row goes when the thing no longer waits.
CREATE TABLE node.notification_choice (
    person text NOT NULL,
    kinds text[] NOT NULL,
    pace text NOT NULL,
    digest_minute integer NOT NULL,
    quiet_from integer NOT NULL,
    quiet_to integer NOT NULL,
    zone text NOT NULL,
    language text NOT NULL,
    PRIMARY KEY (person)
);
CREATE TABLE node.notification_address (
    address text NOT NULL,
    person text NOT NULL,
    channel text NOT NULL,
    target text NOT NULL,
    public_key text NOT NULL,
    shared text NOT NULL,
    state text NOT NULL,
    reason text NOT NULL,
    tries integer NOT NULL,
    made_tai_ns bigint NOT NULL,
    PRIMARY KEY (address)
);
CREATE TABLE node.notification_told (
    person text NOT NULL,
    item text NOT NULL,
    PRIMARY KEY (person, item)
);
CREATE TABLE node.notification_message (
    message text NOT NULL,
    person text NOT NULL,
    address text NOT NULL,
    about text NOT NULL,
    due_tai_ns bigint NOT NULL,
    made_tai_ns bigint NOT NULL,
    attempts integer NOT NULL,
    state text NOT NULL,
    code text NOT NULL,
    reason text NOT NULL,
    done_tai_ns bigint,
    PRIMARY KEY (message)
);
CREATE INDEX notification_message_due ON node.notification_message (state, due_tai_ns);
CREATE TABLE node.notification_item (
    message text NOT NULL,
    item text NOT NULL,
    kind text NOT NULL,
    act text NOT NULL,
    subject text NOT NULL,
    label text NOT NULL,
    PRIMARY KEY (message, item)
);
