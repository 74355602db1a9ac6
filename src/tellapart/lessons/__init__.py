"""The classic lessons of image classification, run for real, and their data sets.

Who does what: :mod:`.base` says what a project is; :mod:`.prices`, :mod:`.digits`, :mod:`.photos`,
:mod:`.devices` and :mod:`.growth` are the projects, :mod:`.ladder` lists them; :mod:`.running` runs
one in a :mod:`.workshop`; :mod:`.notebooks` writes one as a notebook.

The data sets: :mod:`.datasets` says what is known of one; :mod:`.arrays` and :mod:`.photographs`
are the records, :mod:`.registry` lists them; :mod:`.copies` checks a copy, :mod:`.locating`
finds one on this machine; :mod:`.getting` gets one, wherever it comes from, by
:mod:`.downloading` (with :mod:`.requesting` and :mod:`.part`) and :mod:`.unpacking`.
"""
