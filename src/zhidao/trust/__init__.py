"""Log, titles and credentials that nobody needs to take on trust [blockchain]."""
