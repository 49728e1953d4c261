-- Parts of divided messages that are not whole yet: the frames are kept, and this says of what. Rows
-- go in the transaction in which the message is whole, or is told to be incomplete; those that a
-- killed process left are told at the next start.
create table devices.part (
    terminal text not null,
    message integer not null,
    first_serial integer not null,
    number integer not null,
    total integer not null,
    digest bytea not null,
    received_tai_ns bigint not null,
    primary key (terminal, message, first_serial, number)
);
