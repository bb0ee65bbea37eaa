"""Findings to SVG, one figure a file: text stays text, readable in grey, every mark told apart by shape or dash.

The bytes depend on the records only; each figure has a description in words.
"""
