"""The documentary credit: its terms, papers, banking days, states and examination."""
