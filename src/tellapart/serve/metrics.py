"""Counters and histograms in Prometheus' format, of one process or of several."""

from __future__ import annotations

import os
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""Names the folder through which several processes share their numbers."""

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The counters of a server."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        self.requests = Counter(
            "tellapart_requests", "Requests answered.", ["route", "method", "status"],
            registry=registry,
        )  # fmt: skip
        self.seconds = Histogram(
            "tellapart_request_seconds", "From a request's headers to the end of its answer.",
            ["route"], buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self.pictures = Counter(
            "tellapart_pictures", "Pictures, by outcome: 'ok' or an error's code.",
            ["outcome"], registry=registry,
        )  # fmt: skip
        self.stages = Histogram(
            "tellapart_stage_seconds",
            "Seconds that decoding a picture, waiting for a batch, a call of the model, and a "
            "heat map took.",
            ["stage"], buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self.batch = Histogram(
            "tellapart_batch_pictures", "Pictures per call of the model.",
            buckets=(1, 2, 4, 8, 16, 32, 64), registry=registry,
        )  # fmt: skip
        self.queue = self._gauge("tellapart_queue_pictures", "Pictures waiting or at work.")
        self.bodies = self._gauge("tellapart_bodies_bytes", "Bodies in memory.")
        self.reloads = Counter(
            "tellapart_reloads", "Times the run was loaded again.", ["outcome"], registry=registry
        )
        self.refused = Counter(
            "tellapart_connections_refused", "Connections that were closed, by reason.",
            ["reason"], registry=registry,
        )  # fmt: skip
        self._requests: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._stages = {
            stage: self.stages.labels(stage) for stage in ("decode", "wait", "model", "explain")
        }
        if not os.environ.get(FOLDER):
            ProcessCollector(registry=registry)

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count an answered request."""
        key = (route, method, status)
        found = self._requests.get(key)
        if found is None:
            found = self._requests[key] = (
                self.requests.labels(route, method, str(status)),
                self.seconds.labels(route),
            )
        found[0].inc()
        found[1].observe(seconds)

    def watch(self, stage: str, value: float) -> None:
        """Count a stage of the engine: its seconds, or the pictures of a batch."""
        if stage == "batch":
            self.batch.observe(value)
        else:
            self._stages[stage].observe(value)

    def text(self) -> bytes:
        """All numbers of all processes, as ``/metrics`` returns them."""
        if not os.environ.get(FOLDER):
            return generate_latest(self._registry)
        from prometheus_client.multiprocess import MultiProcessCollector

        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)

    def _gauge(self, name: str, told: str) -> Gauge:
        options: dict[str, Any] = {"multiprocess_mode": "livesum"}
        return Gauge(name, told, registry=self._registry, **options)
