"""HTTP as far as a download needs it: one request, its redirects, its answer's bytes."""

from __future__ import annotations

import contextlib
import ipaddress
import re
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from tellapart.core.errors import DownloadError
from tellapart.core.version import __version__
from tellapart.datasets.registry import plain_hosts

if TYPE_CHECKING:
    import urllib3

CONNECTING, WAITING = 10.0, 60.0  # seconds
_CHUNK = 64 * 1024  # a read waits until it is full: what an interruption loses at most
_REDIRECTS = 5
_REDIRECT = frozenset({301, 302, 303, 307, 308})
_PASSING = frozenset({408, 425, 429})  # besides 500 and above
_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,18})-[0-9]+/(?:[0-9]+|\*)")
_NUMBER = re.compile(r"[0-9]{1,18}")


class Passing(Exception):
    """A failure that may pass: trying again makes sense.

    Args:
        why: The failure, as a clause.
        code: What an error calls it where it does not pass.
        wait: Seconds that the server asks to wait.
        unreachable: Whether nobody answered at all.
    """

    def __init__(
        self,
        why: str,
        *,
        code: str = "unreachable",
        wait: float = 0.0,
        unreachable: bool = False,
    ) -> None:
        super().__init__(why)
        self.code = code
        self.wait = wait
        self.unreachable = unreachable


@dataclass(frozen=True)
class Answer:
    """What a server answers, its bytes unread.

    Attributes:
        url: That gave it, after redirects.
        raw: urllib3's own answer.
    """

    url: str
    raw: urllib3.BaseHTTPResponse

    @property
    def status(self) -> int:
        """HTTP's number, such as 200."""
        return self.raw.status

    @property
    def headers(self) -> Mapping[str, str]:
        """By name, in whatever case."""
        return self.raw.headers


class Connections:
    """Connections that are kept open between requests; a context manager.

    Proxies are those of the environment (``https_proxy``, ``no_proxy`` and so on), certificates
    those of the system, or of ``SSL_CERT_FILE``. urllib3 is imported here, not before.
    """

    def __init__(self) -> None:
        self._pools: dict[str | None, urllib3.PoolManager] = {}

    def __enter__(self) -> Connections:
        return self

    def __exit__(self, *_: object) -> None:
        for pool in self._pools.values():
            pool.clear()

    def get(self, url: str, headers: Mapping[str, str]) -> urllib3.BaseHTTPResponse:
        """Ask for an address, once: nothing is followed, tried again or read.

        Raises:
            urllib3.exceptions.HTTPError: If there is no answer.
        """
        import urllib3

        return self._pool(url).request(
            "GET",
            url,
            headers={**_told(), **headers},
            preload_content=False,
            redirect=False,
            retries=False,
            timeout=urllib3.Timeout(connect=CONNECTING, read=WAITING),
        )

    def _pool(self, url: str) -> urllib3.PoolManager:
        import urllib3

        proxy = _proxy_of(url)
        if proxy not in self._pools:
            self._pools[proxy] = urllib3.ProxyManager(proxy) if proxy else urllib3.PoolManager()
        return self._pools[proxy]


def _told() -> dict[str, str]:
    """Headers of every request."""
    # Not compressed once more on the way: sizes and places in the file have to hold.
    return {"User-Agent": f"tellapart/{__version__}", "Accept-Encoding": "identity"}


def _proxy_of(url: str) -> str | None:
    """The proxy that the environment, or the system, names for an address."""
    parts = urlsplit(url)
    if urllib.request.proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    proxies = urllib.request.getproxies()
    named = proxies.get(parts.scheme) or proxies.get("all")
    return f"http://{named}" if named and "://" not in named else named


@contextlib.contextmanager
def answer_to(
    url: str, have: int, validator: str | None, connections: Connections
) -> Iterator[Answer]:
    """Ask for a file, or for what is missing of it, and give the answer unread.

    Args:
        url: Where to ask first; redirects are followed.
        have: Bytes that are there already.
        validator: What the server said of the file that they are from, or None.
        connections: To ask by.

    Raises:
        Passing: Nobody answers, or with an error that may pass.
        DownloadError: ``refused_by_server``, ``bad_redirect``, ``insecure``.
    """
    headers = {}
    if have:
        headers["Range"] = f"bytes={have}-"
        if validator:
            headers["If-Range"] = validator
    answer = _followed(url, headers, connections)
    try:
        status, host = answer.status, urlsplit(answer.url).hostname
        if status >= 500 or status in _PASSING:
            wait = answer.headers.get("Retry-After", "")
            raise Passing(
                f"{host} answered {status} {answer.raw.reason}",
                code="refused_by_server",
                wait=float(wait) if _NUMBER.fullmatch(wait) else 0.0,
            )
        if status not in (200, 206) and not (status == 416 and have):
            raise DownloadError(
                f"{answer.url} cannot be had: {host} answered {status} {answer.raw.reason}.",
                code="refused_by_server",
            )
        yield answer
    finally:
        answer.raw.close()


def start_of(answer: Answer, have: int) -> int | None:
    """At which byte of the file the answer begins, or None where it is of no use.

    Example: 0 where a server knows no ranges, or where the file has changed.
    """
    if answer.status == 200:
        return 0
    match = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", "").strip())
    if answer.status == 206 and match and int(match[1]) == have:
        return have
    return None


def length_of(answer: Answer) -> int | None:
    """Bytes that the answer says it has, or None."""
    text = answer.headers.get("Content-Length", "")
    known = _NUMBER.fullmatch(text) and "Transfer-Encoding" not in answer.headers
    return int(text) if known else None


def chunks(answer: Answer) -> Iterator[bytes]:
    """The bytes of an answer, as they were sent.

    Raises:
        Passing: The connection was cut, or nothing came for a minute.
    """
    import urllib3

    while True:
        try:
            # Not `iter_content`: where a .gz is sent as an encoding, that would unpack it.
            chunk = answer.raw.read(_CHUNK, decode_content=False)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Passing("the connection was cut") from error
        if not chunk:
            return
        yield chunk


def _followed(url: str, headers: dict[str, str], connections: Connections) -> Answer:
    from urllib3 import exceptions

    for _ in range(_REDIRECTS + 1):
        _refuse_insecure(url)
        host = urlsplit(url).hostname
        try:
            answer = Answer(url, connections.get(url, headers))
        except exceptions.SSLError as error:
            raise DownloadError(
                f"The certificate of {host} was not accepted.", code="certificate"
            ) from error
        except exceptions.ProxyError as error:
            raise Passing(f"the proxy on the way to {host} fails", unreachable=True) from error
        except exceptions.NewConnectionError as error:
            raise Passing(f"no connection to {host}", unreachable=True) from error
        except exceptions.ConnectTimeoutError as error:
            raise Passing(f"no connection to {host} in time", unreachable=True) from error
        except exceptions.TimeoutError as error:
            raise Passing(f"no answer from {host} in time") from error
        except exceptions.ProtocolError as error:
            raise Passing(f"no connection to {host}", unreachable=True) from error
        except (exceptions.HTTPError, ValueError) as error:
            raise DownloadError(f"{url} cannot be asked for: {error}.") from error
        if answer.status not in _REDIRECT:
            return answer
        answer.raw.close()
        try:
            url = urljoin(url, answer.headers.get("Location", ""))
            urlsplit(url)
        except ValueError as error:
            raise DownloadError(
                f"{host} redirects to what is no address.", code="bad_redirect"
            ) from error
    raise DownloadError(f"{host} redirects without end.", code="bad_redirect")


def _refuse_insecure(url: str) -> None:
    """Only https, but for this machine and for the hosts that a record names with http.

    There the SHA-256 alone says that the file is right.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https" and host:
        return
    if parts.scheme == "http" and (host in plain_hosts() or _is_loopback(host)):
        return
    raise DownloadError(
        f"{url} is not taken: it is not encrypted (https), and not the provider's own address.",
        code="insecure",
    )


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
