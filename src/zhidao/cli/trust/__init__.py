"""`zhidao trust`, `verify`, `witness` and `fraud`: what is proven, by whom."""
