"""Which process of a node does what, where only one may."""
