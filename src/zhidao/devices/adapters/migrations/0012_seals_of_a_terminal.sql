-- expand: seals of a terminal over all its consignments are looked up by the terminal.
create index seal_by_terminal on devices.seal (terminal);
