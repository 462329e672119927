"""The network's part of the sync, with the standard library alone.

All judgement (what to send, when to retry, when to give up) is the library's. The loop cannot spin: a
failed request is not handed out again before its time.
"""

import enum
import http.client
import threading
import time
import urllib.parse

from ._generated import HttpAnswer, HttpHeader, TaskOutcome

_CHUNK_BYTES = 16 * 1024

# Clocks may differ by a little: never spin on a wait that is just over.
_MIN_WAIT_S = 0.02


class SyncEnd(enum.Enum):
    """How a run of the sync host ended."""

    DONE = "done"
    """Everything is sent and read."""

    WAITING = "waiting"
    """Nothing can be done now: no network, or a retry is not due yet."""

    STOPPED = "stopped"
    """`SyncHost.stop` was called."""


class HttpClientTransport:
    """Sends one request exactly as given: no redirects, a bounded answer, bounded time."""

    def __init__(self, connect_s=10.0, total_s=60.0):
        if not 0 < connect_s <= total_s:
            raise ValueError("timeouts must be positive and in order")
        self._connect_s = connect_s
        self._total_s = total_s

    def send(self, task):
        """The answer, whatever its status, or None when no whole answer came."""
        deadline = time.monotonic() + self._total_s
        url = urllib.parse.urlsplit(task.url)
        connections = {
            "http": http.client.HTTPConnection,
            "https": http.client.HTTPSConnection,
        }
        connection = connections[url.scheme](url.netloc, timeout=self._connect_s)
        try:
            connection.connect()
            path = (url.path or "/") + (f"?{url.query}" if url.query else "")
            connection.putrequest(task.method, path, skip_accept_encoding=True)
            for header in task.headers:
                connection.putheader(header.name, header.value)
            if task.body or task.method in ("POST", "PATCH"):
                connection.putheader("Content-Length", str(len(task.body)))
            connection.sock.settimeout(self._total_s)
            connection.endheaders(task.body or None)
            response = connection.getresponse()
            body = _read_bounded(response, connection, task.max_answer_bytes, deadline)
            if body is None:
                return None
            headers = [HttpHeader(name=name, value=value) for name, value in response.getheaders()]
            return HttpAnswer(status=response.status, headers=headers, body=body)
        finally:
            connection.close()


def _read_bounded(response, connection, limit, deadline):
    """The body up to the limit, or None when time is up: a socket's timeout starts anew with each byte."""
    body = bytearray()
    while len(body) < limit:
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            return None
        if connection.sock is not None:
            connection.sock.settimeout(left_s)
        part = response.read1(min(_CHUNK_BYTES, limit - len(body)))
        if not part:
            expected = response.length
            # http.client reports a body that breaks off as a plain end.
            return None if expected else bytes(body)
        body += part
    return bytes(body)


class SyncHost:
    """Takes the library's requests, sends them, gives back what came.

    `network` is called before each request and says what network there is (a `NetworkState`).
    """

    def __init__(self, satchel, transport, network):
        self._satchel = satchel
        self._transport = transport
        self._network = network
        self._stopped = threading.Event()

    def run(self):
        """Sends and reads until there is nothing to do now. Raises what the store raises."""
        return self._run()[0]

    def run_until_done(self, timeout_s):
        """Like `run`, but sits retries out until everything is done or `timeout_s` have passed."""
        deadline = time.monotonic() + timeout_s
        while True:
            end, until_ms = self._run()
            if end is not SyncEnd.WAITING or until_ms is None:
                return end
            wait_s = max(until_ms / 1000 - time.time(), _MIN_WAIT_S)
            if wait_s > deadline - time.monotonic():
                return end
            if self._stopped.wait(wait_s):
                return SyncEnd.STOPPED

    def stop(self):
        """Ends every run after the request it is at; for good."""
        self._stopped.set()

    def _run(self):
        while not self._stopped.is_set():
            task = self._satchel.next_task(self._network())
            if task.is_DONE():
                return SyncEnd.DONE, None
            if task.is_WAIT():
                return SyncEnd.WAITING, task.until_ms
            self._satchel.complete_task(task.task.id, self._send(task.task))
        return SyncEnd.STOPPED, None

    def _send(self, request):
        try:
            answer = self._transport.send(request)
        except (OSError, http.client.HTTPException, KeyError, ValueError):
            # No route, a reset, a bad certificate, a URL that cannot be sent: no answer came.
            answer = None
        except BaseException:
            # An interrupt, or a defect of a transport: the request is not left in flight.
            self._satchel.complete_task(request.id, TaskOutcome.FAILED())
            raise
        return TaskOutcome.FAILED() if answer is None else TaskOutcome.ANSWERED(answer)
