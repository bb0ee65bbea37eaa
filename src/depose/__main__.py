"""`python -m depose` is `depose`."""

from __future__ import annotations

from depose.cli import main

if __name__ == "__main__":
    main()
