-- The keys with which a party was made here, Multikeys; of one of an earlier release, those that its
-- next start finds.
alter table node.party add column keys text[] not null default '{}';
