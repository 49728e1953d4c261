-- Which consignments a recall flagged; the signed facts stand in the room's events. Distribution key:
-- the recall.
create table industry.recall_flag (
    recall text collate "C" not null,
    consignment text collate "C" not null,
    primary key (recall, consignment)
);

create index recall_flag_consignment on industry.recall_flag (consignment);

-- A recall asks which orders made a lot.
create index piece_lot on industry.piece (gtin, lot);
