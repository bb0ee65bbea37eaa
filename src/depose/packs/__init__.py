"""Control packs: built, looked at, asked again, and held against a release."""
