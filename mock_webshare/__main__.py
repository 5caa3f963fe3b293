"""`python -m mock_webshare` is the command `mock-webshare`."""

from mock_webshare.cli import main

if __name__ == "__main__":
    main()
