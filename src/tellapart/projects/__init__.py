"""The classic lessons of image classification, run for real.

Who does what: :mod:`.base` says what a project is; :mod:`.prices`, :mod:`.digits`, :mod:`.photos`,
:mod:`.devices` and :mod:`.growth` are the projects, :mod:`.ladder` lists them; :mod:`.running` runs
one in a :mod:`.workshop`; :mod:`.notebooks` writes one as a notebook.
"""
