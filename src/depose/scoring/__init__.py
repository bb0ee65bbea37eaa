"""One engine from declared detectors to scores: for thousands of bags, and for the rows of a matrix.

counting.py says what the answers of a population have, index.py who has which feature, tally.py who says a thing how
often, engine.py scores a bag from that, kernel.py holds its compiled loops. A bag of a case is measured by the
declaration itself, prompt by prompt (detectors/declaration.py); weights and formulas are the same functions.
"""
