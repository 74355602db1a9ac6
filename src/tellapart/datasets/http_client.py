"""One HTTP request of a download: redirects, errors, and the bytes of the answer."""

from __future__ import annotations

import contextlib
import re
import urllib.request
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

from tellapart.core.errors import DownloadError
from tellapart.core.version import __version__

if TYPE_CHECKING:
    import urllib3

CONNECT_TIMEOUT: Final = 10.0  # seconds
READ_TIMEOUT: Final = 60.0  # seconds
_CHUNK = 64 * 1024  # bytes; an interruption loses at most one chunk
_REDIRECTS = 5
_TRANSIENT = frozenset({408, 425, 429})  # in addition to 500 and above
_SECONDS = re.compile(r"[0-9]{1,18}")


class TransientFailure(Exception):
    """A failure for which it makes sense to try again.

    Args:
        why: The failure, as a clause.
        code: The code of the error if all tries fail.
        wait: Seconds that the server asks to wait.
        unreachable: Whether no server answered at all.
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


@contextlib.contextmanager
def request(
    url: str, headers: Mapping[str, str], *, plain_hosts: Collection[str] = ()
) -> Iterator[urllib3.BaseHTTPResponse]:
    """Request a file, follow redirects, and yield the answer with its body unread.

    The status is 200, 206, or, if a range was requested, 416.

    Args:
        url: Where to ask first.
        headers: Further headers of the request.
        plain_hosts: Hosts that may be asked with http, without encryption.

    Raises:
        TransientFailure: Nobody answers, or the server's error may pass.
        DownloadError: With code ``refused_by_server``, ``bad_redirect``, ``insecure``,
            ``certificate``.
    """
    for _ in range(_REDIRECTS + 1):
        _refuse_insecure(url, plain_hosts)
        response = _ask(url, headers)
        location = response.get_redirect_location()
        if location is False:
            break
        response.close()  # its body is not read: it can be endless
        try:
            url = urljoin(url, location or "")
            urlsplit(url)
        except ValueError as error:
            raise DownloadError(
                f"{url} redirects to something that is not an address.", code="bad_redirect"
            ) from error
    else:
        raise DownloadError(f"{url} redirects without end.", code="bad_redirect")
    try:
        _refuse_status(url, response, ranged="Range" in headers)
        yield response
    finally:
        response.close()


def body_of(response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    """The bytes of an answer as they were sent, in chunks; a .gz is not decompressed.

    Raises:
        TransientFailure: The connection was cut, or nothing came for a minute.
    """
    import urllib3

    try:
        yield from response.stream(_CHUNK, decode_content=False)
    except (urllib3.exceptions.HTTPError, OSError) as error:
        raise TransientFailure("the connection was cut") from error


def _ask(url: str, headers: Mapping[str, str]) -> urllib3.BaseHTTPResponse:
    """Make one request; urllib3 checks certificates against the system's or SSL_CERT_FILE."""
    import urllib3
    from urllib3 import exceptions

    proxy = _proxy_of(url)
    pool = urllib3.ProxyManager(proxy) if proxy else urllib3.PoolManager()
    host = urlsplit(url).hostname
    # Not compressed on the way: sizes and positions in the file have to hold.
    always = {"User-Agent": f"tellapart/{__version__}", "Accept-Encoding": "identity"}
    try:
        return pool.request(
            "GET",
            url,
            headers={**always, **headers},
            preload_content=False,
            redirect=False,
            retries=False,
            timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT, read=READ_TIMEOUT),
        )
    except exceptions.SSLError as error:
        raise DownloadError(
            f"The certificate of {host} was not accepted.", code="certificate"
        ) from error
    except exceptions.ProxyError as error:
        raise TransientFailure(
            f"no connection to {host} through the proxy", unreachable=True
        ) from error
    except (
        exceptions.NewConnectionError,
        exceptions.ConnectTimeoutError,
        exceptions.ProtocolError,
    ) as error:
        raise TransientFailure(f"no connection to {host}", unreachable=True) from error
    except exceptions.TimeoutError as error:
        raise TransientFailure(f"no answer from {host} in time") from error
    except (exceptions.HTTPError, ValueError) as error:
        raise DownloadError(f"{url} cannot be requested: {error}.") from error


def _proxy_of(url: str) -> str | None:
    """The proxy that the environment (``https_proxy``, ``no_proxy``) or the system names."""
    parts = urlsplit(url)
    if urllib.request.proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    proxies = urllib.request.getproxies()
    proxy = proxies.get(parts.scheme) or proxies.get("all")
    return f"http://{proxy}" if proxy and "://" not in proxy else proxy


def _refuse_insecure(url: str, plain_hosts: Collection[str]) -> None:
    parts = urlsplit(url)
    host = parts.hostname or ""
    if not host or not (
        parts.scheme == "https" or (parts.scheme == "http" and host in plain_hosts)
    ):
        raise DownloadError(
            f"{url} is refused: it is not encrypted (https), and not the provider's own address.",
            code="insecure",
        )


def _refuse_status(url: str, response: urllib3.BaseHTTPResponse, *, ranged: bool) -> None:
    status, host = response.status, urlsplit(url).hostname
    answered = f"{host} answered {status} {response.reason}"
    if status >= 500 or status in _TRANSIENT:
        wait = response.headers.get("Retry-After", "")
        raise TransientFailure(
            answered,
            code="refused_by_server",
            wait=float(wait) if _SECONDS.fullmatch(wait) else 0.0,
        )
    if status not in (200, 206) and not (status == 416 and ranged):
        raise DownloadError(f"{url} cannot be downloaded: {answered}.", code="refused_by_server")
