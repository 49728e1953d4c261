"""Papers as bytes: JSON, UBL and XML read strictly, written in one form."""
