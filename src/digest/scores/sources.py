"""Fetch one source politely and safely: conditional, retried, bounded, and never from an address inside the house.

The edge: the only module that opens a connection for data. Requests follow RFC 9110; an address is refused unless
the IANA registries of special-purpose addresses call it global. Proxies of the environment are not used, because
the address behind them could not be checked.
"""

import gzip
import io
import ipaddress
import socket
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, NewConnectionError, TimeoutError
from urllib3.util import connection
from urllib3.util.retry import Retry

from digest import __version__
from digest.config.sections import Fetch
from digest.errors import CaptureError
from digest.scores.store import Validators

MOST_REDIRECTS = 5
LONGEST_RETRY_AFTER = 30
_CHUNK = 64 * 1024
_NO_HEAD = (400, 403, 404, 405, 501)  # what servers say that only know GET
_LONGEST_VALIDATOR = 1_000
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_GLOBAL_UNICAST = ipaddress.ip_network("2000::/3")


@dataclass(frozen=True, slots=True)
class Fetched:
    """What the server sent; `data` is None where it said that nothing changed (304)."""

    data: bytes | None
    validators: Validators


def fetch(url: str, limits: Fetch, validators: Validators) -> Fetched:
    """Fetch one source. Raises CaptureError with one sentence; nothing is stored here."""
    where = _host(url)
    end = time.monotonic() + limits.total_seconds
    with _faults_told(where), _session(limits) as session:
        for _hop in range(1 + MOST_REDIRECTS):
            with session.get(url, headers=_conditions(validators), timeout=_wait(limits), stream=True) as response:
                if not response.is_redirect:
                    return _take(response, where, limits, validators, end)
                url = urljoin(url, response.headers["Location"])
    raise CaptureError(f"{where} redirects more than {MOST_REDIRECTS} times.")


def status_of(url: str, limits: Fetch) -> int:
    """The status (RFC 9110, section 15) with which an address answers in the end, by the same rules; no body is read.

    It is asked for with HEAD, and with GET where a server does not do that. Raises CaptureError with one sentence.
    """
    where, method = _host(url), "HEAD"
    with _faults_told(where), _session(limits) as session:
        for _hop in range(2 + MOST_REDIRECTS):
            with session.request(method, url, timeout=_wait(limits), stream=True) as response:
                if response.is_redirect:
                    url = urljoin(url, response.headers["Location"])
                elif method == "HEAD" and response.status_code in _NO_HEAD:
                    method = "GET"
                else:
                    return response.status_code
    raise CaptureError(f"{where} redirects more than {MOST_REDIRECTS} times.")


def _wait(limits: Fetch) -> tuple[float, float]:
    return limits.connect_seconds, limits.connect_seconds * 3


@contextmanager
def _faults_told(where: str) -> Iterator[None]:
    """Turn what goes wrong on the way into one sentence."""
    try:
        yield
    except requests.exceptions.InvalidSchema as error:
        raise CaptureError(f"{where} leads to what is not https://; [fetch] allow_http would allow http://.") from error
    except requests.exceptions.SSLError as error:
        raise CaptureError(f"{where} has a TLS certificate that cannot be trusted.") from error
    except (HTTPError, OSError, ValueError) as error:
        raise CaptureError(f"{where} {_fault(error)}; the next run tries again.") from error


def _take(response: requests.Response, where: str, limits: Fetch, sent: Validators, end: float) -> Fetched:
    if response.status_code == requests.codes.not_modified:
        return Fetched(None, sent)
    if response.status_code != requests.codes.ok:
        raise CaptureError(f"{where} answered with status {response.status_code}; is the address right?")
    most = limits.max_megabytes * 1_000_000
    body = bytearray()
    while chunk := response.raw.read1(_CHUNK, decode_content=False):
        body += chunk
        if len(body) > most:
            raise CaptureError(f"{where} sent more than {limits.max_megabytes} MB ([fetch] max_megabytes).")
        if time.monotonic() > end:
            raise CaptureError(f"{where} took more than {limits.total_seconds:g} s ([fetch] total_seconds).")
    data = _decoded(bytes(body), response.headers.get("Content-Encoding", ""), where, most)
    return Fetched(data, Validators(_validator(response, "ETag"), _validator(response, "Last-Modified")))


def _decoded(body: bytes, encoding: str, where: str, most: int) -> bytes:
    """Undo the content coding (RFC 9110, section 8.4) ourselves: the library takes a gzip that ends early for whole."""
    match encoding.strip().lower():
        case "" | "identity":
            return body
        case "gzip" | "x-gzip":
            try:
                return gunzip(body, most)
            except CaptureError as error:
                raise CaptureError(f"{where}: {error}.") from error
        case _:
            raise CaptureError(f"{where} sent a content coding other than gzip, which was not asked for.")


def _fault(error: Exception) -> str:
    reason = getattr(error.args[0], "reason", error) if error.args else error
    late = isinstance(reason, TimeoutError) and not isinstance(reason, NewConnectionError)  # a TimeoutError there
    return "did not answer in time" if late else "cannot be reached, or broke off"


def _validator(response: requests.Response, header: str) -> str | None:
    """A header to send back as it came; none where it is nothing to store."""
    value = response.headers.get(header, "")
    return value if value.isprintable() and 0 < len(value) <= _LONGEST_VALIDATOR else None


def _host(url: str) -> str:
    try:
        parts = urlsplit(url)
    except ValueError:  # such as https://[::1
        parts = urlsplit("")
    if parts.hostname is None or parts.scheme not in ("https", "http"):
        raise CaptureError(f'"{url}" is no web address; write https://… in config.toml.')
    return parts.hostname


def gunzip(packed: bytes, most: int) -> bytes:
    """Decompress a gzip file (RFC 1952) of at most `most` bytes. Raises CaptureError for a bomb or a broken file."""
    try:
        with gzip.open(io.BytesIO(packed)) as file:
            unpacked = file.read(most + 1)
    except EOFError as error:
        raise CaptureError("the file ends in the middle of its gzip data") from error
    except (OSError, zlib.error) as error:
        raise CaptureError("the file is not valid gzip") from error
    if len(unpacked) > most:
        raise CaptureError(f"the file holds more than {most // 1_000_000} MB ([fetch] max_megabytes)")
    return unpacked


def _conditions(validators: Validators) -> dict[str, str]:
    """Ask only for what changed (RFC 9110, section 13.1)."""
    headers = {"If-None-Match": validators.etag, "If-Modified-Since": validators.last_modified}
    return {name: value for name, value in headers.items() if value}


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Leave redirects to `fetch`: the library would read a redirect's body, and without a limit."""


def _session(limits: Fetch) -> requests.Session:
    session = _Session()
    session.trust_env = False
    session.headers["Accept-Encoding"] = "gzip"
    session.headers["User-Agent"] = f"digest/{__version__} (a weekly newsletter)"
    retries = Retry(
        total=limits.retries,
        backoff_factor=0.5,
        backoff_jitter=0.2,
        status_forcelist=(429, 500, 502, 503, 504),
        raise_on_status=False,
        retry_after_max=LONGEST_RETRY_AFTER,
    )
    adapter: HTTPAdapter = HTTPAdapter(max_retries=retries)
    if not limits.allow_private_addresses:
        adapter.poolmanager.pool_classes_by_scheme = {"http": _PublicHttpPool, "https": _PublicHttpsPool}
    session.adapters.clear()
    session.mount("https://", adapter)
    if limits.allow_http:
        session.mount("http://", adapter)
    return session


def _public_socket(link: HTTPConnection) -> socket.socket:
    """Resolve once, refuse if any address is private, connect to the very address that was checked."""
    found = [str(info[4][0]) for info in socket.getaddrinfo(link._dns_host, link.port, type=socket.SOCK_STREAM)]
    for address in found:
        if not _is_public(address):
            raise CaptureError(
                f"{link.host} leads to the private address {address}; [fetch] allow_private_addresses would allow it."
            )
    for address in found[:-1]:
        with suppress(OSError):
            return connection.create_connection((address, link.port), link.timeout, socket_options=link.socket_options)
    return connection.create_connection((found[-1], link.port), link.timeout, socket_options=link.socket_options)


def _is_public(address: str) -> bool:
    ip: Any = ipaddress.ip_address(address.partition("%")[0])
    if ip.version == 6:
        inside = ip.ipv4_mapped or ip.sixtofour
        ip = inside or (ipaddress.ip_address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else ip)
    return bool(ip.is_global and not ip.is_multicast and (ip.version == 4 or ip in _GLOBAL_UNICAST))


class _PublicHttp(HTTPConnection):
    _new_conn = _public_socket


class _PublicHttps(HTTPSConnection):
    _new_conn = _public_socket


class _PublicHttpPool(HTTPConnectionPool):
    ConnectionCls = _PublicHttp


class _PublicHttpsPool(HTTPSConnectionPool):
    ConnectionCls = _PublicHttps
