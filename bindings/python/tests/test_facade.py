"""What a program meets without a hub: typed errors, and a transport that tells an answer from none."""

import http.server
import pathlib
import socket
import tempfile
import threading
import time
import unittest

import satchel
from satchel import SatchelError

from day import TEST_KEY, config


class Facade(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def what(self, call):
        with self.assertRaises(SatchelError.InvalidInput) as caught:
            call()
        return caught.exception.what

    def test_bad_values_are_typed_errors_that_name_the_value(self):
        opened = satchel.Satchel.open
        self.assertEqual(self.what(lambda: opened(config(self.folder, key=TEST_KEY[1:]))), "key")
        self.assertEqual(self.what(lambda: opened(config(self.folder, boot_id="today"))), "boot_id")
        self.assertEqual(self.what(lambda: opened(config(self.folder, utc_offset_min=-721))), "utc_offset_min")
        phone = opened(config(self.folder))
        self.assertEqual(self.what(lambda: phone.stop("7")), "stop_id")
        self.assertEqual(self.what(lambda: phone.rating_code("")), "parcel_id")
        self.assertEqual(self.what(lambda: phone.stops(limit=501)), "limit")
        phone.shutdown()

    def test_a_log_sink_that_raises_breaks_no_call(self):
        heard = threading.Semaphore(0)

        class Sink(satchel.LogSink):
            def log(self, record):
                heard.release()
                raise ValueError("a defect of the program")

        satchel.set_log_sink(Sink(), satchel.LogLevel.WARN)
        self.addCleanup(satchel.clear_log_sink)
        blocked = self.folder / "file"
        blocked.write_text("")
        for _ in range(2):
            # A file where the folder should be: an input/output failure, which is logged.
            with self.assertRaises(SatchelError.Internal):
                satchel.Satchel.open(config(blocked))
            self.assertTrue(heard.acquire(timeout=10))


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers what the path says: /status/NNN, /endless, /echo."""

    def do_GET(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        kind, _, value = self.path.strip("/").partition("/")
        if kind == "endless":
            self.send_response(200)
            self.end_headers()
            try:
                for _ in range(100_000):
                    self.wfile.write(b"x" * 1000)
            except OSError:
                pass  # The client hung up, as it should.
            return
        answer = b"" if self.command == "HEAD" else f"{self.command} {self.headers['Signature']} ".encode() + body
        self.send_response(int(value) if kind == "status" else 200)
        self.send_header("Upload-Offset", "42")
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_HEAD = do_POST = do_PATCH = do_GET

    def log_message(self, *_):
        pass


class Transport(unittest.TestCase):
    def setUp(self):
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.base = f"http://127.0.0.1:{self.server.server_port}"
        self.transport = satchel.HttpClientTransport(connect_s=1, total_s=1)

    def send(self, method, path, body=b"", limit=1000, base=None):
        request = satchel.HttpTask(
            id="1",
            purpose=satchel.TaskPurpose.PROOF,
            method=method,
            url=(base or self.base) + path,
            headers=[satchel.HttpHeader(name="Signature", value="sig=:AA==:")],
            body=body,
            max_answer_bytes=limit,
        )
        return self.transport.send(request)

    def test_every_method_arrives_as_given_and_every_status_is_an_answer(self):
        for method in ("POST", "PATCH"):
            answer = self.send(method, "/echo?x=%E7%94%B2", b"four")
            self.assertEqual(bytes(answer.body), f"{method} sig=:AA==: four".encode())
        head = self.send("HEAD", "/echo")
        self.assertEqual([h.value for h in head.headers if h.name == "Upload-Offset"], ["42"])
        for status in (302, 401, 460, 500):
            self.assertEqual(self.send("GET", f"/status/{status}").status, status)

    def test_an_endless_answer_is_read_up_to_the_limit(self):
        self.assertEqual(bytes(self.send("GET", "/endless", limit=2500).body), b"x" * 2500)

    def test_half_a_body_silence_and_nobody_are_no_answer(self):
        def raw(reply, hold_s):
            listener = socket.create_server(("127.0.0.1", 0))
            self.addCleanup(listener.close)

            def talk():
                client, _ = listener.accept()
                with client:
                    client.recv(4096)
                    client.sendall(reply)
                    time.sleep(hold_s)

            threading.Thread(target=talk, daemon=True).start()
            return f"http://127.0.0.1:{listener.getsockname()[1]}"

        half = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"
        self.assertIsNone(self.send("GET", "/", base=raw(half, 0)))
        for reply in (b"", half):
            before = time.monotonic()
            with self.assertRaises(OSError):
                self.send("GET", "/", base=raw(reply, 3))
            self.assertLess(time.monotonic() - before, 2.5)
        self.server.shutdown()
        self.server.server_close()
        with self.assertRaises(OSError):
            self.send("GET", "/")


if __name__ == "__main__":
    unittest.main()
