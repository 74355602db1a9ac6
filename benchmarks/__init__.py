"""Speed, memory and accuracy, beside peers, in one run: ``python -m benchmarks``.

Who does what: a :class:`~benchmarks.rows.Row` knows how one thing is measured and what is to be
reached; it asks a :class:`~benchmarks.bench.Bench` for pictures, processes and repeats, and
answers with :class:`~benchmarks.results.Line` values. A finished row is kept as
``results/ROW.json``; :mod:`benchmarks.table` renders ``RESULTS.md`` from those files alone.

Everything that is timed runs in a process of its own: the scripts in ``ours/`` and the command
``tellapart`` with the Python that runs this, the scripts in ``peers/`` with the one of
``.venv-peers``.
"""
