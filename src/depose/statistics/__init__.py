"""Scores to statistics: centring, p-values, intervals, likelihood ratios, lineages. Pure; files name sources."""
