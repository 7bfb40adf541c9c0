"""``python -m nightlight`` is ``nightlight``."""

from nightlight.cli.main import main

if __name__ == "__main__":
    main()
