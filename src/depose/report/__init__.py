"""Findings to pages: HTML and PDF in two flavours, figures, viewer, machine-readable outputs, Bates numbers."""
