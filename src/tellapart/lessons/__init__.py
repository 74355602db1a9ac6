"""The classic lessons of image classification, run for real.

:mod:`.lesson` defines a lesson, :mod:`.registry` lists all of them, and :mod:`.runner` runs one.
The lessons are TOML files in ``definitions``. Those that do more than train have a module as well:
:mod:`.house_prices`, :mod:`.devices` and :mod:`.more_data`; each gets a :mod:`.context` to work in.
:mod:`.illustrations` and :mod:`.charts` draw what a run shows, and :mod:`.notebooks` writes a
lesson as a notebook.
"""
