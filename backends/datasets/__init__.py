"""Labelled data as NumPy arrays, for whatever trains on it, and how clients share it."""
