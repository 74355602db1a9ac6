"""HTTP as far as a download needs it: one request, its redirects, its answer's bytes."""

from __future__ import annotations

import contextlib
import ipaddress
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from tellapart.errors import DownloadError
from tellapart.projects.registry import plain_hosts

if TYPE_CHECKING:
    import requests

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


def session() -> requests.Session:
    """Connections that are kept open between files; requests is imported here, not before."""
    import requests

    import tellapart

    class Connections(requests.Session):
        """Leaves redirects alone: even unasked, requests reads what comes with one, unbounded."""

        def get_redirect_target(self, resp: requests.Response) -> str | None:
            return None

    made = Connections()
    # Not compressed once more on the way: sizes and places in the file have to hold.
    made.headers.update(
        {"User-Agent": f"tellapart/{tellapart.__version__}", "Accept-Encoding": "identity"}
    )
    return made


@contextlib.contextmanager
def answer_to(
    url: str, have: int, validator: str | None, connections: requests.Session
) -> Iterator[requests.Response]:
    """Ask for a file, or for what is missing of it, and give the answer unread.

    Args:
        url: Where to ask first; redirects are followed.
        have: Bytes that are there already.
        validator: What the server said of the file that they are from, or None.
        connections: The session.

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
        status, host = answer.status_code, urlsplit(answer.url).hostname
        if status >= 500 or status in _PASSING:
            wait = answer.headers.get("Retry-After", "")
            raise Passing(
                f"{host} answered {status} {answer.reason}",
                code="refused_by_server",
                wait=float(wait) if _NUMBER.fullmatch(wait) else 0.0,
            )
        if status not in (200, 206) and not (status == 416 and have):
            raise DownloadError(
                f"{answer.url} cannot be had: {host} answered {status} {answer.reason}.",
                code="refused_by_server",
            )
        yield answer
    finally:
        answer.close()


def start_of(answer: requests.Response, have: int) -> int | None:
    """At which byte of the file the answer begins, or None where it is of no use.

    Example: 0 where a server knows no ranges, or where the file has changed.
    """
    if answer.status_code == 200:
        return 0
    match = _CONTENT_RANGE.fullmatch(answer.headers.get("Content-Range", "").strip())
    if answer.status_code == 206 and match and int(match[1]) == have:
        return have
    return None


def length_of(answer: requests.Response) -> int | None:
    """Bytes that the answer says it has, or None."""
    text = answer.headers.get("Content-Length", "")
    known = _NUMBER.fullmatch(text) and "Transfer-Encoding" not in answer.headers
    return int(text) if known else None


def chunks(answer: requests.Response) -> Iterator[bytes]:
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


def _followed(
    url: str, headers: dict[str, str], connections: requests.Session
) -> requests.Response:
    import requests

    for _ in range(_REDIRECTS + 1):
        _refuse_insecure(url)
        host = urlsplit(url).hostname
        try:
            answer = connections.get(
                url,
                headers=headers,
                stream=True,
                allow_redirects=False,
                timeout=(CONNECTING, WAITING),
            )
        except requests.exceptions.SSLError as error:
            raise DownloadError(
                f"The certificate of {host} was not accepted.", code="certificate"
            ) from error
        except requests.exceptions.ProxyError as error:
            raise Passing(f"the proxy on the way to {host} fails", unreachable=True) from error
        except requests.exceptions.ConnectTimeout as error:
            raise Passing(f"no connection to {host} in time", unreachable=True) from error
        except requests.exceptions.Timeout as error:
            raise Passing(f"no answer from {host} in time") from error
        except requests.exceptions.ConnectionError as error:
            raise Passing(f"no connection to {host}", unreachable=True) from error
        except requests.exceptions.RequestException as error:
            raise DownloadError(f"{url} cannot be asked for: {error}.") from error
        if answer.status_code not in _REDIRECT:
            return answer
        answer.close()
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
