"""How a run is served: addresses, limits, who may ask."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_core import PydanticCustomError

from tellapart.core.config import Option, Settings

MEGABYTE = 1024**2
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-]+(:\d{1,5})?|https?://\[[0-9A-Fa-f:]+\](:\d{1,5})?")
_HOST = re.compile(r"[A-Za-z0-9.\-]+|\[?[0-9A-Fa-f:.]+\]?")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,99}")


class ServeSettings(Settings):
    """How a run is served. Fields without an :class:`Option` are for Python alone."""

    host: Annotated[
        str, Option("Listen on this address; 0.0.0.0 for all addresses.", "ADDRESS")
    ] = "127.0.0.1"
    port: Annotated[
        int, Field(ge=0, le=65_535), Option("Listen on this port; 0 takes a free one.", "N")
    ] = 8000
    name: Annotated[str, Option("The model's name in the Open Inference Protocol.", "TEXT")] = (
        "tellapart"
    )
    workers: Annotated[
        int,
        Field(ge=1, le=64),
        Option("Processes. One uses all cores; several share them.", "N"),
    ] = 1
    cors: Annotated[
        tuple[str, ...],
        Option(
            "Allow requests from pages of this origin, such as https://example.org; * for all "
            "(repeatable).",
            "ORIGIN",
        ),
    ] = ()
    allowed_hosts: Annotated[
        tuple[str, ...],
        Option(
            "Allow clients to call the server by this name (repeatable) [loopback: localhost; "
            "else all].",
            "NAME",
            flag="--allow-host",
        ),
    ] = ()
    batch: Annotated[
        int, Field(ge=1, le=64), Option("Maximum pictures per run of the model.", "N")
    ] = 2
    max_latency_ms: Annotated[
        float,
        Field(ge=0, le=1000),
        Option(
            "Maximum milliseconds that a decoded picture waits for others to fill a batch.", "N"
        ),
    ] = 5.0
    queue: Annotated[
        int,
        Field(ge=1, le=100_000),
        Option("Maximum queued or running pictures; above this, requests get 503.", "N"),
    ] = 256
    max_body_mb: Annotated[
        float, Field(gt=0, le=1024), Option("Maximum size of a request's body, in MiB.", "N")
    ] = 32.0
    max_bodies_mb: Annotated[
        float,
        Field(gt=0, le=65_536),
        Option("Memory for all bodies together, in MiB; above this, requests get 503.", "N"),
    ] = 256.0
    max_megapixels: Annotated[
        float, Field(gt=0, le=100), Option("Maximum size of a picture, in millions of pixels.", "N")
    ] = 50.0
    max_pictures: Annotated[
        int, Field(ge=1, le=1024), Option("Maximum pictures per request.", "N")
    ] = 32
    timeout: Annotated[
        float, Field(gt=0, le=3600), Option("Seconds from a whole request to its answer.", "N")
    ] = 30.0
    body_timeout: Annotated[
        float, Field(gt=0, le=3600), Option("Seconds in which a body must arrive.", "N")
    ] = 30.0
    header_timeout: Annotated[
        float,
        Field(gt=0, le=3600),
        Option(
            "Seconds in which headers must arrive, and in which a client must take what it was "
            "sent.",
            "N",
        ),
    ] = 10.0
    connections: Annotated[
        int, Field(ge=1, le=65_536), Option("Maximum simultaneous connections.", "N")
    ] = 2048
    grace: Annotated[
        float,
        Field(gt=0, le=3600),
        Option("Seconds to finish what is in progress when the server is told to stop.", "N"),
    ] = 30.0
    api_key: SecretStr | None = Field(default=None, repr=False)
    threads: int | None = Field(default=None, ge=1, le=256)
    """Threads per process that decode and run the model; None shares the cores among workers."""
    idle_timeout: float = Field(default=15.0, gt=0, le=3600)
    """Seconds that a connection stays open without a request."""

    @property
    def max_body(self) -> int:
        """Largest body in bytes."""
        return int(self.max_body_mb * MEGABYTE)

    @property
    def max_pixels(self) -> int:
        """Largest picture in pixels."""
        return int(self.max_megapixels * 1_000_000)

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @property
    def hosts(self) -> frozenset[str] | None:
        """Names that a request's Host may have, without ports; None allows all."""
        if self.allowed_hosts:
            return frozenset(host.lower().strip("[]") for host in self.allowed_hosts)
        if self.is_loopback:
            return frozenset({"localhost", "127.0.0.1", "::1", self.host.lower()})
        return None

    @field_validator("name")
    @classmethod
    def _check_name(cls, value: str) -> str:
        if not _NAME.fullmatch(value):
            raise _fault("should be letters, digits, '.', '_' and '-', as it stands in addresses")
        return value

    @field_validator("cors")
    @classmethod
    def _check_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if origin != "*" and not _ORIGIN.fullmatch(origin):
                raise _fault("should be origins such as https://example.org, or *")
        return value

    @field_validator("allowed_hosts")
    @classmethod
    def _check_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for host in value:
            if not _HOST.fullmatch(host):
                raise _fault("should be names such as pets.example.org, without port or path")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> ServeSettings:
        if self.api_key is not None and not _is_key(self.api_key.get_secret_value()):
            raise _fault("The API key should be 8 to 1,024 printable ASCII characters, no spaces.")
        if self.max_pictures > self.queue:
            raise _fault(
                f"--max-pictures is {self.max_pictures}, but no more than --queue ({self.queue}) "
                "have room at once."
            )
        if self.max_bodies_mb < self.max_body_mb:
            raise _fault(
                f"--max-bodies-mb is {self.max_bodies_mb:g}, but one body may have "
                f"{self.max_body_mb:g} MiB (--max-body-mb)."
            )
        return self


def _is_key(text: str) -> bool:
    return 8 <= len(text) <= 1024 and all("!" <= character <= "~" for character in text)


def _fault(text: str) -> PydanticCustomError:
    return PydanticCustomError("serve", "{text}", {"text": text})
