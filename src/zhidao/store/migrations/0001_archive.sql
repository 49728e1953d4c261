-- Bytes under their own SHA-256: documents, raw windows, evidence.

create table store.blob (
    digest bytea not null check (length(digest) = 32),
    bytes bytea not null,
    primary key (digest)
);
