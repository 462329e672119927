"""The key in a file: made once, read by its user alone, never replaced."""

import pathlib
import stat
import tempfile
import threading
import unittest

import satchel


class KeyFile(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = pathlib.Path(folder.name) / "deep" / "satchel.key"
        self.store = pathlib.Path(folder.name) / "store"

    def test_the_same_key_every_time_and_for_nobody_else(self):
        key = satchel.load_key(self.file, self.store)
        self.assertEqual(len(key), 32)
        self.assertEqual(satchel.load_key(self.file, self.store), key)
        self.assertEqual(stat.S_IMODE(self.file.stat().st_mode), 0o600)
        self.assertEqual([path.name for path in self.file.parent.iterdir()], ["satchel.key"])
        satchel.Satchel.open(satchel.SatchelConfig(directory=str(self.store), key=key)).shutdown()

    def test_a_store_without_its_key_gets_no_new_one(self):
        key = satchel.load_key(self.file, self.store)
        satchel.Satchel.open(satchel.SatchelConfig(directory=str(self.store), key=key)).shutdown()
        self.file.unlink()
        with self.assertRaises(satchel.KeyLost):
            satchel.load_key(self.file, self.store)
        self.assertFalse(self.file.exists())
        self.file.write_bytes(key[:31])
        with self.assertRaises(satchel.KeyLost):
            satchel.load_key(self.file, self.store)
        self.assertEqual(self.file.read_bytes(), key[:31])

    def test_two_at_once_agree_on_one_key(self):
        keys = []
        both = threading.Barrier(8)

        def load():
            both.wait(10)
            keys.append(satchel.load_key(self.file, self.store))

        threads = [threading.Thread(target=load) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        self.assertEqual((len(keys), len(set(keys))), (8, 1))
        self.assertEqual(keys[0], self.file.read_bytes())


if __name__ == "__main__":
    unittest.main()
