-- Each piece that a lot brought into the world, once a node. Distribution key: the article's number.
create table industry.piece (
    gtin text collate "C" not null,
    serial text collate "C" not null,
    aggregate text collate "C" not null,
    lot text not null,
    primary key (gtin, serial)
);

-- Lots from before: where a serial was made twice, the lot that was written down first has it.
insert into industry.piece (gtin, serial, aggregate, lot)
select fact ->> 'gtin', piece, aggregate, fact ->> 'lot'
from (
    select aggregate, id, convert_from(event, 'UTF8')::jsonb -> 'payload' as fact
    from industry.event
    where type = 'industry.LotFinished.v1'
) as lots, jsonb_array_elements_text(fact -> 'serials') as pieces (piece)
order by id
on conflict do nothing;
