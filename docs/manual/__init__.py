"""Pages of the documentation that follow from the code, so that nothing in them can be out of date or missing.

    PYTHONPATH=docs python -m manual            write them
    PYTHONPATH=docs python -m manual --check    name those that are not what the code says now; exit 1

`make docs` writes them before it builds the site; tests/test_docs.py checks them. What only a person can say of an
opinion, a reason or an error stands in `explained.toml`, what a number is measured in stands in `units.toml`.
"""
