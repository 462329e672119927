"""A hub that insists: TLS keys by name, a hardware key for every log; and one that orders a wipe."""

import os
import pathlib
import ssl
import subprocess
import tempfile
import threading
import time
import unittest

import satchel
from satchel import HandoffKind, NetworkState, SatchelError, SyncEnd, SyncState

from day import failed, given, handed_over, photograph, signature


@unittest.skipUnless(os.environ.get("SATCHEL_STRICT_CERT"), "no openssl here")
class StrictHub(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.store = self.folder / "store"
        self.key_file = self.folder / "satchel.key"
        signing = satchel.FileSigningKey(self.folder / "vouching.key")
        self.keys = satchel.PhoneKeys(self.key_file, self.store, signing)

    def open(self):
        key = satchel.load_key(self.key_file, self.store)
        return satchel.Satchel.open(satchel.SatchelConfig(directory=str(self.store), key=key, utc_offset_min=480))

    def transport(self):
        """Trusts the certificate of the hub's TLS, as an office trusts its company's authority."""
        return satchel.HttpClientTransport(context=ssl.create_default_context(cafile=given("SATCHEL_STRICT_CERT")))

    def host(self, keys):
        return satchel.SyncHost(self.phone, self.transport(), lambda: NetworkState.UNMETERED, keys)

    def eventually(self, holds):
        deadline = time.monotonic() + 20
        while not holds():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)

    @staticmethod
    def admin(*words):
        """What the dispatcher types."""
        command = [given("SATCHEL_STRICT_HUB"), *words, "--data", given("SATCHEL_STRICT_DATA")]
        subprocess.run(command, check=True, capture_output=True)

    def test_a_phones_whole_life_with_such_a_hub(self):
        self.phone = self.open()
        self.phone.enrol(given("SATCHEL_STRICT_PYTHON"), "strict phone")
        self.insists_on_the_hardware()
        self.assertIs(self.host(self.keys).run_until_done(60), SyncEnd.DONE)
        device = self.phone.enrolment().device_id
        self.follows()
        self.changes_its_log_key()
        self.refuses_other_tls()
        self.is_wiped(device)

    def insists_on_the_hardware(self):
        self.assertIsNot(self.host(None).run(), SyncEnd.DONE)
        self.assertTrue(self.phone.enrolment().is_PENDING())

        class Absent:
            def public_key(self):
                raise OSError("the card is not in the reader")

        host = self.host(satchel.PhoneKeys(self.key_file, self.store, Absent()))
        self.assertIs(host.run(), SyncEnd.KEY_FAILED)
        self.assertEqual(str(host.key_error), "the card is not in the reader")
        self.assertTrue(self.phone.enrolment().is_PENDING())

    def follows(self):
        """A record goes up and a new stop comes down without anybody asking for a sync."""
        host = self.host(self.keys)
        ends = []
        following = threading.Thread(target=lambda: ends.append(host.follow(self.transport())))
        following.start()
        try:
            door = self.phone.stops().stops[0]
            draft = self.phone.begin_attempt(door.stop_id, HandoffKind.RECIPIENT)
            photo = photograph(self.folder / "door.png", 77)
            self.phone.add_photo(draft.attempt_id, str(photo), satchel.PhotoOrigin.CAMERA)
            self.phone.complete_attempt(draft.attempt_id, handed_over(door, signature()))
            host.wake()
            self.eventually(lambda: self.phone.stop(door.stop_id).sync is SyncState.PROOF_COMPLETE)

            # Less than the patience of one poll: the hub told it, nobody came to look.
            data = pathlib.Path(given("SATCHEL_TESTDATA"))
            late = self.folder / "late.csv"
            header = (data / "day.csv").read_text(encoding="utf-8").splitlines()[0]
            row = "SPython-9001,round-SPython,样例路 9001 号,37.70001,121.40001,测试某,10000000000,2026-03-02 08:30,,no,"
            late.write_text(f"{header}\n{row}\n", encoding="utf-8")
            self.admin("import", str(late), "--mapping", str(data / "day.mapping.json"), "--courier", "Python")
            waybills = lambda: [stop.parcels[0].waybill for stop in self.phone.stops().stops]  # noqa: E731
            self.eventually(lambda: "SPython-9001" in waybills())
        finally:
            host.stop()
            following.join(40)
        self.assertEqual(ends, [SyncEnd.STOPPED])

    @staticmethod
    def task(method, url):
        purpose = satchel.TaskPurpose.FEED
        return satchel.HttpTask(
            id="", purpose=purpose, method=method, url=url, headers=[], body=b"", max_answer_bytes=65_536
        )

    def changes_its_log_key(self):
        self.phone.rotate_log_key()
        self.assertTrue(self.phone.key_task().is_SIGN())
        self.assertIs(self.host(self.keys).run_until_done(60), SyncEnd.DONE)
        self.assertIsNone(self.phone.key_task())
        door = next(stop for stop in self.phone.stops().stops if stop.state is satchel.StopState.OPEN)
        draft = self.phone.begin_attempt(door.stop_id, HandoffKind.RECIPIENT)
        self.phone.complete_attempt(draft.attempt_id, failed(door))
        self.assertIs(self.host(self.keys).run_until_done(60), SyncEnd.DONE)
        self.assertIs(self.phone.stop(door.stop_id).sync, SyncState.PROOF_COMPLETE, "signed by the key that follows")

    def refuses_other_tls(self):
        hub = self.phone.hub_address()
        self.assertEqual(len(hub.spki_sha256), 1)
        page = self.task("GET", hub.url + "/")
        transport = self.transport()
        transport.trust(hub)
        self.assertIsNotNone(transport.send(page), "the key it named")
        clear = self.task("GET", page.url.replace("https:", "http:"))
        self.assertIsNone(transport.send(clear), "nothing in the clear")
        transport.trust(satchel.HubAddress(url=hub.url, spki_sha256=[bytes([7] * 32)]))
        self.assertIsNone(transport.send(page), "another key")
        # What the system does not trust is not made good by a pin.
        systems = satchel.HttpClientTransport()
        systems.trust(hub)
        with self.assertRaises(ssl.SSLError):
            systems.send(page)

        class Unpinned:
            def send(self, _):
                return None

        with self.assertRaises(TypeError):
            satchel.SyncHost(self.phone, Unpinned(), lambda: NetworkState.UNMETERED).run()

    def is_wiped(self, device):
        door = next(stop for stop in self.phone.stops().stops if stop.state is satchel.StopState.OPEN)
        self.admin("wipe", device, "--why", "lost")
        draft = self.phone.begin_attempt(door.stop_id, HandoffKind.RECIPIENT)
        self.phone.complete_attempt(draft.attempt_id, failed(door))
        before = satchel.load_key(self.key_file, self.store)

        def is_over():
            self.phone.request_sync()
            return self.host(self.keys).run() is SyncEnd.WIPED

        # The hub refuses what a revoked phone sends; the order comes with the feed.
        self.eventually(is_over)
        with self.assertRaises(SatchelError.Closed):
            self.phone.stops()
        self.assertFalse((self.store / "satchel.db").exists())
        self.assertFalse(self.keys.finish_wipe(), "it is over")
        # A new enrolment may begin, under another key.
        self.assertNotEqual(satchel.load_key(self.key_file, self.store), before)
        self.open().shutdown()

    def test_a_wipe_that_was_cut_off_ends_at_the_next_start(self):
        self.open().shutdown()
        self.keys.destroy()
        with self.assertRaises(satchel.KeyLost):
            satchel.load_key(self.key_file, self.store)
        self.assertTrue(self.keys.finish_wipe())
        self.assertFalse((self.store / "satchel.db").exists())
        self.assertFalse(self.keys.finish_wipe())
        self.open().shutdown()


if __name__ == "__main__":
    unittest.main()
