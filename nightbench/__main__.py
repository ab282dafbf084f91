"""``python -m nightbench``."""

from nightbench.cli import main

if __name__ == "__main__":
    main()
