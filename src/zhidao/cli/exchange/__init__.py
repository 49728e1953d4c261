"""`zhidao exchange` and `zhidao peer`: documents to and from other nodes."""
