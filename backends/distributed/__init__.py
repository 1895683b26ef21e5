"""Training rounds over several processes or machines: the server is rank 0, client i is rank i + 1."""
