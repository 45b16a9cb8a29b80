"""`python -m bincount`: the command line."""

from bincount.cli.main import main

if __name__ == "__main__":
    main()
