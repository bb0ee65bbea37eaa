"""The append-only evidence: hash-chained log, blobs, records, checkpoints, time-stamps."""
