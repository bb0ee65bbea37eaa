"""Questions to models and answers into the log: order, pace, retries, resumption, import."""
