"""How a run is served: addresses, limits, who may ask."""

from __future__ import annotations

import ipaddress
import re

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_core import PydanticCustomError

from tellapart.core.config import Settings

MEGABYTE = 1024**2
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-]+(:\d{1,5})?|https?://\[[0-9A-Fa-f:]+\](:\d{1,5})?")
_HOST = re.compile(r"[A-Za-z0-9.\-]+|\[?[0-9A-Fa-f:.]+\]?")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._\-]{0,99}")


class ServeSettings(Settings):
    """How a run is served.

    Attributes:
        host: Address to listen on; loopback unless given.
        port: Port to listen on; 0 takes a free one.
        name: The model's name in the Open Inference Protocol.
        workers: Processes. One uses all cores; more of them share the cores.
        threads: Threads of a process that decode and run the model; the cores, divided by
            ``workers``, unless given.
        batch: Most pictures that go through the model at once.
        max_latency_ms: Longest that a decoded picture waits for others to fill a batch; none
            waits while nothing else is being decoded.
        queue: Most pictures that are waiting or at work; beyond, the answer is 503.
        max_body_mb: Largest body of a request, in MiB.
        max_bodies_mb: Memory for all bodies together, in MiB; beyond, the answer is 503.
        max_megapixels: Largest picture, in millions of pixels.
        max_pictures: Most pictures of one request.
        timeout: Seconds from a whole request to its answer.
        body_timeout: Seconds in which a body must have arrived.
        header_timeout: Seconds in which a request's headers must have arrived, and in which a
            client must have taken what it was sent.
        idle_timeout: Seconds that a connection stays open without a request.
        connections: Most connections at once.
        grace: Seconds for what is in flight when the server is told to stop.
        api_key: What clients must present; None lets everybody ask.
        cors: Origins whose pages may ask, such as ``https://example.org``; ``*`` for all.
        allowed_hosts: Names by which clients may call the server. Unless given, on a loopback
            address those of the loopback, elsewhere all.
    """

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65_535)
    name: str = "tellapart"
    workers: int = Field(default=1, ge=1, le=64)
    threads: int | None = Field(default=None, ge=1, le=256)
    batch: int = Field(default=2, ge=1, le=64)
    max_latency_ms: float = Field(default=5.0, ge=0, le=1000)
    queue: int = Field(default=256, ge=1, le=100_000)
    max_body_mb: float = Field(default=32.0, gt=0, le=1024)
    max_bodies_mb: float = Field(default=256.0, gt=0, le=65_536)
    max_megapixels: float = Field(default=50.0, gt=0, le=100)
    max_pictures: int = Field(default=32, ge=1, le=1024)
    timeout: float = Field(default=30.0, gt=0, le=3600)
    body_timeout: float = Field(default=30.0, gt=0, le=3600)
    header_timeout: float = Field(default=10.0, gt=0, le=3600)
    idle_timeout: float = Field(default=15.0, gt=0, le=3600)
    connections: int = Field(default=2048, ge=1, le=65_536)
    grace: float = Field(default=30.0, gt=0, le=3600)
    api_key: SecretStr | None = Field(default=None, repr=False)
    cors: tuple[str, ...] = ()
    allowed_hosts: tuple[str, ...] = ()

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
