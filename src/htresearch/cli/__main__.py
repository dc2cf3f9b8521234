"""``python -m htresearch.cli``, the same as ``htresearch``."""

from htresearch.cli import main

if __name__ == "__main__":
    main()
