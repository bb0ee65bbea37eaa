"""Answers of the laboratory's models, for the self-test and the bundled study."""
