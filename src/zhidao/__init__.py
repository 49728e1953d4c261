"""Zhidao: from raw satellite signal to settled payment, every step open to verification."""

__version__ = "0.1.0"
