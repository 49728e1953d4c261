"""Evidence that goods were made as claimed [industrial Internet, smart manufacturing]."""
