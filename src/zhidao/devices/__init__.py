"""Terminals and sensors: JT/T 808 sessions and custody of what they sent [Internet of Things]."""
