"""Two models' weights beside each other: were they initialised independently?

The null is exact, by the exchangeability of hidden units; shapes, configurations and tokenizers decide nothing. What
is found says nothing of who copied whom, and nothing of distillation, which leaves no trace in the order of units.
"""
