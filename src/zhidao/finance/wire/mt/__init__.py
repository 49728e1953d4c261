"""FIN messages of documentary credits: MT 700, 707, 734 and 750, read strictly and written."""
