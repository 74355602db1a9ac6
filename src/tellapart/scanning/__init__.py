"""The one pass over the bytes of a catalog's pictures."""
