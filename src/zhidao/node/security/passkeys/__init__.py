"""Passkeys (WebAuthn) of people, beside their passwords."""
