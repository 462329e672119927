"""Every variant of the error is reached from Python, and damage is never answered with more damage."""

import inspect
import os
import pathlib
import subprocess
import tempfile
import unittest

import satchel
from satchel import HandoffKind, SatchelError

from day import TEST_KEY, SharedPhone, config, given

UNKNOWN = "00000000-0000-7000-8000-000000000000"


class Errors(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def open(self, name, key=TEST_KEY):
        phone = satchel.Satchel.open(config(self.folder / name, key=key))
        self.addCleanup(phone.shutdown)
        return phone

    def place(self, name, content):
        (self.folder / name).mkdir()
        file = self.folder / name / "satchel.db"
        file.write_bytes(content)
        return file

    def damaged(self, name):
        """A store whose pages are broken, all but the first, which is what tells a wrong key."""
        satchel.Satchel.open(config(self.folder / name)).shutdown()
        file = self.folder / name / "satchel.db"
        content = file.read_bytes()
        file.write_bytes(content[:4096] + bytes((byte + 1) % 256 for byte in content[4096:]))
        return file

    def test_every_variant_is_reached(self):
        variants = {kind for _, kind in inspect.getmembers(SatchelError, inspect.isclass)}
        variants = {kind for kind in variants if issubclass(kind, SatchelError)}
        self.assertGreater(len(variants), 15)
        ways = self.ways_to_fail()
        # Full storage needs a disk of its own: the test below.
        self.assertEqual(variants - set(ways), {SatchelError.StorageFull})
        for expected, fail in ways.items():
            with self.subTest(expected.__name__), self.assertRaises(expected):
                fail()

    def ways_to_fail(self):
        phone = SharedPhone.phone()
        door, other = SharedPhone.doors(2)

        def paused():
            phone = self.open("paused")
            phone.pause()
            phone.stops()

        def closed():
            phone = self.open("closed")
            phone.shutdown()
            phone.stops()

        def wrong_key():
            self.open("keys").shutdown()
            self.open("keys", key=bytes(32))

        def not_a_folder():
            (self.folder / "file").write_text("")
            self.open("file")

        def no_photo():
            draft = phone.begin_attempt(door.stop_id, HandoffKind.RECIPIENT)
            phone.add_photo(draft.attempt_id, str(self.folder / "nowhere.jpg"), satchel.PhotoOrigin.CAMERA)

        def no_ink():
            draft = phone.begin_attempt(other.stop_id, HandoffKind.RECIPIENT)
            phone.check_signature(draft.attempt_id, satchel.Signature(strokes=[], canvas_width=600, canvas_height=300))

        def foreign():
            self.place("foreign", b"SQLite format 3\0" + b"\1" * 8192)
            self.open("foreign")

        def damaged():
            self.damaged("damaged")
            self.open("damaged").stops()

        def newer():
            self.place("newer", pathlib.Path(given("SATCHEL_TESTDATA"), "newer-store.db").read_bytes())
            self.open("newer")

        return {
            SatchelError.InvalidInput: lambda: phone.stops(limit=501),
            SatchelError.InviteRejected: lambda: self.open("invite").enrol("SATCHEL:NOTHING", "x"),
            SatchelError.Refused: lambda: phone.begin_attempt(door.stop_id, HandoffKind.STATION),
            SatchelError.NotFound: lambda: phone.stop(UNKNOWN),
            SatchelError.AlreadyDone: lambda: phone.enrol(given("SATCHEL_INVITE_PYTHON_MORE"), "x"),
            SatchelError.PhotoRejected: no_photo,
            SatchelError.SignatureRejected: no_ink,
            SatchelError.NotEnrolled: lambda: self.open("fresh").begin_attempt(UNKNOWN, HandoffKind.RECIPIENT),
            SatchelError.StoreLocked: lambda: satchel.Satchel.open(config(SharedPhone.store)),
            SatchelError.WrongKey: wrong_key,
            SatchelError.StoreForeign: foreign,
            SatchelError.StoreDamaged: damaged,
            SatchelError.StoreFromNewerVersion: newer,
            SatchelError.Paused: paused,
            SatchelError.Closed: closed,
            SatchelError.Internal: not_a_folder,
        }

    def test_what_is_raised_says_what_to_do(self):
        phone = SharedPhone.phone()
        [door] = SharedPhone.doors(1)
        with self.assertRaises(SatchelError.Refused) as refused:
            phone.begin_attempt(door.stop_id, HandoffKind.STATION)
        self.assertIs(refused.exception.rule, satchel.RefusalRule.CONSENT_MISSING)
        self.assertEqual(refused.exception.missing, [satchel.RequirementItem.CONSENT])
        self.assertTrue(refused.exception.text_zh and refused.exception.text_en)
        with self.assertRaises(SatchelError.NotFound) as unknown:
            phone.stop(UNKNOWN)
        self.assertEqual(unknown.exception.what, "stop")
        with self.assertRaises(SatchelError.Internal) as internal:
            (self.folder / "file").write_text("")
            self.open("file")
        self.assertTrue(internal.exception.code.startswith("IO_"), internal.exception.code)

    def test_a_foreign_damaged_or_newer_store_is_left_as_it_is(self):
        foreign = self.place("foreign", b"SQLite format 3\0" + b"x" * 4096)
        newer = self.place("newer", pathlib.Path(given("SATCHEL_TESTDATA"), "newer-store.db").read_bytes())
        damaged = self.damaged("damaged")
        for file in (foreign, newer, damaged):
            before = file.read_bytes()
            with self.assertRaises(SatchelError) as raised:
                self.open(file.parent.name).stops()
            self.assertEqual(file.read_bytes(), before, "nothing is repaired or deleted")
            if isinstance(raised.exception, SatchelError.StoreFromNewerVersion):
                self.assertEqual(raised.exception.found, 999)
                self.assertIn(raised.exception.known, range(1, 999))

    def test_a_full_disk_is_named_loses_nothing_and_ends_when_there_is_room(self):
        disk = self.folder / "disk"
        disk.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)]
        try:
            mounted = subprocess.run(mount, capture_output=True, timeout=10).returncode == 0
        except OSError:
            mounted = False
        if not mounted:
            self.skipTest("a small disk for StorageFull needs root (mount)")
        try:
            filler = disk / "filler"
            with open(filler, "wb", buffering=0) as file:
                for chunk in (bytes(65536), bytes(4096), b"1"):
                    try:
                        while file.write(chunk) == len(chunk):
                            pass
                    except OSError:
                        continue
            with self.assertRaises(SatchelError.StorageFull):
                satchel.Satchel.open(config(disk / "store"))
            os.remove(filler)
            phone = satchel.Satchel.open(config(disk / "store"))
            self.assertTrue(phone.enrolment().is_ABSENT())
            phone.shutdown()
        finally:
            subprocess.run(["umount", str(disk)], check=True, timeout=10)


if __name__ == "__main__":
    unittest.main()
