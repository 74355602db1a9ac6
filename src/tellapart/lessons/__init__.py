"""The classic lessons of image classification, run for real.

:mod:`.lesson` defines a lesson, :mod:`.registry` lists all of them, and :mod:`.runner` runs one.
Lessons that only train networks are in :mod:`.mnist` and :mod:`.class_folders`; those with work of
their own, which gets a :mod:`.context`, are :mod:`.house_prices`, :mod:`.devices` and
:mod:`.more_data`. :mod:`.illustrations` and :mod:`.charts` draw what a run shows, and
:mod:`.notebooks` writes a lesson as a notebook.
"""
