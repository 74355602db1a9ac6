"""Where the pictures are and what their labels are: sources, catalog, corrections."""
