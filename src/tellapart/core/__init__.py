"""The floor of the house: errors, settings, cache, progress, child processes, versions, text."""
