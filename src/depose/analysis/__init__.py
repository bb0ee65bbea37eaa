"""Transcripts to findings: scores of every bag, likelihood ratios, checks, opinions. Pure."""
