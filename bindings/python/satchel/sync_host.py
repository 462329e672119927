"""The network's part of the sync, with the standard library alone.

All judgement (what to send, when to retry, when to give up) is the library's. The loop cannot spin: a
failed request is not handed out again before its time.
"""

import contextlib
import enum
import http.client
import socket
import threading
import time
import urllib.parse

from ._generated import HttpAnswer, HttpHeader, SatchelError, TaskOutcome, certificate_key_sha256
from .phone_keys import KeyWork, offer, serve

_CHUNK_BYTES = 16 * 1024

# Clocks may differ by a little: never spin on a wait that is just over.
_MIN_WAIT_S = 0.02

# In front, the loop looks this often of itself: the network may be another by then.
_LOOK_S = 30.0

# Offline or not enrolled: how soon to think again of waiting at the hub.
_POLL_REST_S = 5.0

# A request that had not begun when it was ended is found again this soon.
_ABORT_POLL_S = 0.05


class SyncEnd(enum.Enum):
    """How a run of the sync host ended."""

    DONE = "done"
    """Everything is sent and read."""

    WAITING = "waiting"
    """Nothing can be done now: no network, or a retry is not due yet."""

    STOPPED = "stopped"
    """`SyncHost.stop` was called."""

    KEY_FAILED = "key failed"
    """The key that vouches for the log could not; `SyncHost.key_error` says why. All else is sent and read."""

    WIPED = "wiped"
    """The hub ordered this phone to be wiped: key and store are gone, the phone is closed."""


class HttpClientTransport:
    """Sends one request exactly as given: no redirects, a bounded answer, bounded time.

    `context` is an `ssl.SSLContext` that says whose certificates are trusted; without one, the system's.
    """

    def __init__(self, connect_s=10.0, total_s=60.0, context=None):
        if not 0 < connect_s <= total_s:
            raise ValueError("timeouts must be positive and in order")
        self._connect_s = connect_s
        self._total_s = total_s
        self._context = context
        self._pins = frozenset()
        self._under_way = None

    def abort(self):
        """Ends the request that is under way on another thread; without one it does nothing."""
        connection = self._under_way
        sock = connection.sock if connection is not None else None
        if sock is not None:
            # The plain socket's: TLS has one that takes the session from under the thread that reads.
            with contextlib.suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def trust(self, hub):
        """Which TLS keys the hub has to show from now on (docs/adr/0048); none: whatever the context trusts."""
        self._pins = frozenset(hub.spki_sha256)

    def send(self, task):
        """The answer, whatever its status, or None when no whole answer came."""
        deadline = time.monotonic() + self._total_s
        url = urllib.parse.urlsplit(task.url)
        connection = self._connection(url)
        if connection is None:
            return None
        self._under_way = connection
        try:
            connection.connect()
            if self._pins and not self._is_pinned(connection):
                return None
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
            self._under_way = None
            connection.close()


    def _connection(self, url):
        """A connection of the URL's kind; a pinned hub gets nothing in the clear."""
        if url.scheme == "https":
            return http.client.HTTPSConnection(url.netloc, timeout=self._connect_s, context=self._context)
        if url.scheme == "http" and not self._pins:
            return http.client.HTTPConnection(url.netloc, timeout=self._connect_s)
        return None

    def _is_pinned(self, connection):
        """Whether the server proved, with its own certificate, to have one of the keys that the hub named."""
        return certificate_key_sha256(connection.sock.getpeercert(binary_form=True)) in self._pins


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

    `network` is called before each request and says what network there is (a `NetworkState`). With `keys` (a
    `PhoneKeys`) it also has them do what the library asks: vouch for the log's key, be gone when the hub orders a wipe.
    `before_send` is called with each request just before it goes out; `upload` in it says how far a photo is.
    """

    def __init__(self, satchel, transport, network, keys=None, before_send=None):
        self._satchel = satchel
        self._transport = transport
        self._network = network
        self._keys = keys
        self._before_send = before_send
        self._stopped = threading.Event()
        self._woken = threading.Event()
        self.key_error = None

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

    def follow(self, polls):
        """Sends what is recorded as it comes and has the hub tell its news the moment there are any, until `stop`.

        `polls` waits at the hub on a thread of its own, so it is another transport than the one that sends, with half a
        minute of patience more. Call `wake` after each record.
        """
        over = threading.Event()
        waiting = threading.Thread(target=self._poll, args=(polls, over), daemon=True)
        waiting.start()
        try:
            while True:
                end, until_ms = self._run()
                if end in (SyncEnd.STOPPED, SyncEnd.WIPED):
                    return end
                wait_s = _LOOK_S if until_ms is None else until_ms / 1000 - time.time()
                self._woken.wait(min(max(wait_s, _MIN_WAIT_S), _LOOK_S))
                self._woken.clear()
        finally:
            # The request that waits would hold up the feed of the next run.
            over.set()
            while waiting.is_alive() and hasattr(polls, "abort"):
                polls.abort()
                waiting.join(_ABORT_POLL_S)

    def wake(self):
        """Something was recorded: a host that follows sends it now."""
        self._woken.set()

    def stop(self):
        """Ends every run after the request it is at; for good."""
        self._stopped.set()
        self._woken.set()

    def _poll(self, polls, over):
        while not self._stopped.is_set() and not over.is_set():
            try:
                self._trust(polls)
                task = self._satchel.poll_task(self._network())
                if task.is_HTTP():
                    self._satchel.complete_task(task.task.id, self._send(polls, task.task))
                    self._woken.set()
                    continue
            except (SatchelError.Closed, SatchelError.Paused):
                # The other loop meets the same and says so.
                self._woken.set()
                return
            until_ms = task.until_ms if task.is_WAIT() else None
            wait_s = _POLL_REST_S if until_ms is None else until_ms / 1000 - time.time()
            over.wait(min(max(wait_s, _MIN_WAIT_S), _POLL_REST_S))

    def _trust(self, transport):
        """Tells a transport which TLS keys the hub has to show."""
        hub = self._satchel.hub_address()
        if hub is None:
            return
        if hasattr(transport, "trust"):
            transport.trust(hub)
        elif hub.spki_sha256:
            raise TypeError("this transport cannot pin TLS keys, and the hub named some")

    def _run(self):
        self._trust(self._transport)
        work, self.key_error = offer(self._satchel, self._keys)
        if work is not KeyWork.FAILED:
            work, self.key_error = serve(self._satchel, self._keys)
        if work is KeyWork.WIPED:
            return SyncEnd.WIPED, None
        failed = work is KeyWork.FAILED
        while not self._stopped.is_set():
            task = self._satchel.next_task(self._network())
            if task.is_HTTP():
                self._satchel.complete_task(task.task.id, self._send(self._transport, task.task))
                continue
            work, error = serve(self._satchel, self._keys)
            if work is KeyWork.SERVED:
                # A signature is to be sent.
                continue
            if work is KeyWork.WIPED:
                return SyncEnd.WIPED, None
            self.key_error = error or self.key_error
            if failed or work is KeyWork.FAILED:
                return SyncEnd.KEY_FAILED, None
            return (SyncEnd.DONE, None) if task.is_DONE() else (SyncEnd.WAITING, task.until_ms)
        return SyncEnd.STOPPED, None

    def _send(self, transport, request):
        try:
            if self._before_send is not None:
                self._before_send(request)
        except BaseException:
            # The app's, to be seen by it; the request is not left in flight.
            self._satchel.complete_task(request.id, TaskOutcome.FAILED())
            raise
        try:
            answer = transport.send(request)
        except (OSError, http.client.HTTPException, KeyError, ValueError):
            # No route, a reset, a bad certificate, a URL that cannot be sent: no answer came.
            answer = None
        except BaseException:
            # An interrupt, or a defect of a transport: the request is not left in flight.
            self._satchel.complete_task(request.id, TaskOutcome.FAILED())
            raise
        return TaskOutcome.FAILED() if answer is None else TaskOutcome.ANSWERED(answer)
