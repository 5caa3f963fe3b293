"""The data of one account: rows, data sets, and how they are generated."""
