"""``tellapart serve``: a run behind HTTP, for people and for programs.

Who does what, from the socket to the model: :mod:`.connections` bounds what a connection may cost
before there is a request; :mod:`.gate` is the middleware that every request passes (its id, its
key, its log line, the headers of every answer); :mod:`.bodies` reads a body in bounded memory and
time; :mod:`.forms` and :mod:`.messages` make pictures of it; :mod:`.engine` decodes and runs them
(:mod:`.orders`) on as many threads as there are cores, in small batches, from a bounded queue;
:mod:`.served` is the run that answers, and can be swapped. :mod:`.picture_routes` (``/v1``),
:mod:`.inference` with :mod:`.tensors` (the Open Inference Protocol, ``/v2``) and :mod:`.pages`
(``/``) are what is asked, some of it past FastAPI (:mod:`.direct`); :mod:`.application` puts them
together, :mod:`.server` runs them in one process and :mod:`.workers` in several.

Example:
    >>> from tellapart.serve import ServeSettings, serve  # doctest: +SKIP
    >>> serve("runs/pets-1", ServeSettings(port=8080))  # doctest: +SKIP
"""

from __future__ import annotations

from tellapart.serve.settings import ServeSettings
from tellapart.serve.starting import serve

__all__ = ["ServeSettings", "serve"]
