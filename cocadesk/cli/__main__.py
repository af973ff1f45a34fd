"""``python -m cocadesk.cli`` is the command ``cocadesk``."""

from cocadesk.cli.main import main

if __name__ == "__main__":
    main()
