"""Redaction of the secrets in exchanges."""
