"""The front door: `zhidao …`."""
