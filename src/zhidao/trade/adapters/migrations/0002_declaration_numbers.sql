-- A number written with other case is the same number: declarations are found by it without case.
create index declaration_number on trade.event (lower(aggregate))
    where version = 1 and aggregate like 'declaration/%';
