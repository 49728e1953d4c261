"""Double-entry ledger, reservations and conditional payment [digital finance]."""
