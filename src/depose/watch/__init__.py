"""Is an endpoint still the model it was? Today's answers against those that were kept, in a log of their own."""
