"""`python -m carillon_cli`: the command `carillon`."""

from carillon_cli.main import main

if __name__ == "__main__":
    main()
