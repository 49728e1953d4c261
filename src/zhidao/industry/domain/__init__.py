"""Pure rules of the industry room: identifiers, event hashes, quality judgements."""
