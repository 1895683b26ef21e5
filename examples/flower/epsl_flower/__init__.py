"""EPSL over Flower's messages."""
