"""The data sets of the lessons: find, download, unpack."""
