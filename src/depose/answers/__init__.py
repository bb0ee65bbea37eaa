"""What counts as an answer: how it ended, what of it is reasoning or no answer at all, and which text is compared.

Every source (endpoints, imports, populations) asks here, so that no two judge the same answer differently.
"""
