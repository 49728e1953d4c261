"""The network's view: CAMARA APIs, cross-check of a fix, BeiDou short messages [5G networks]."""
