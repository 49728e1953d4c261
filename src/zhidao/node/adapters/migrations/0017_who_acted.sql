-- expand: whether the party had agreed to somebody as one who acts for it, whatever the role is now.
ALTER TABLE node.person ADD COLUMN acted boolean NOT NULL DEFAULT false;
