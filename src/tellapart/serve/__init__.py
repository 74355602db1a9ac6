"""``tellapart serve``: a run behind HTTP, for people and for programs.

- :mod:`.process` binds the socket, limits connections, handles signals and starts workers.
- :mod:`.api` reads requests and writes responses: ``/v1``, ``/v2`` (the Open Inference Protocol),
  health checks, metrics and the page.
- :mod:`.engine` holds the loaded run; its threads decode pictures and run the model.

Imports go downwards: ``process``, ``api``, ``engine``, and then :mod:`.settings`, :mod:`.logs` and
:mod:`.metrics`, which all three use.

Example:
    >>> from tellapart.serve import ServeSettings, serve  # doctest: +SKIP
    >>> serve("runs/pets-1", ServeSettings(port=8080))  # doctest: +SKIP
"""

from __future__ import annotations

from tellapart.serve.process.launch import serve
from tellapart.serve.settings import ServeSettings

__all__ = ["ServeSettings", "serve"]
