"""Notes, tiles, proofs and policies of the log, as C2SP writes them."""
