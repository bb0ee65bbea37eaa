"""Families of fingerprint prompts: seeded functions with slots, one file each."""
