"""What the industry room reaches outside: machines over OPC UA."""
