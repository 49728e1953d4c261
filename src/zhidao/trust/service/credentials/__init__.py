"""Credentials: issued, checked, withdrawn, shown in part."""
