"""Extraction in the logs: which accounts collected answers systematically, with error rates.

Logs become events under keyed hashes (`importing`), events become tables (`tables`), and what follows from the tables
is pure: accounts, pairs, groups, synchrony, balance, infrastructure and targeting. What it finds is a lead that the
line-up can test; it shows who collected, not what became of it.
"""
