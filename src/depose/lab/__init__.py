"""The laboratory: models whose lineage is known because they were trained here."""
