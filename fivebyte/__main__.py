"""``python -m fivebyte`` is the command ``fivebyte``."""

from fivebyte.cli import main

if __name__ == "__main__":
    main()
