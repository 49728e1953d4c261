-- A name is not locked by wrong passwords: who tries waits, and that is counted elsewhere.
ALTER TABLE node.person DROP COLUMN failures;
ALTER TABLE node.person DROP COLUMN locked_until_tai_ns;
