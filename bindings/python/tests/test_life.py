"""Threads, pauses, kills: the phone's life in a program, and what it keeps through all of it."""

import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import satchel
from satchel import HandoffKind, NetworkState, SatchelError, StopState, SyncEnd

from day import TEST_KEY, SharedPhone, config, failed


class Life(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def test_one_instance_a_store_in_this_process_and_in_another(self):
        first = satchel.Satchel.open(config(self.folder / "store"))
        with self.assertRaises(SatchelError.StoreLocked):
            satchel.Satchel.open(config(self.folder / "store"))
        self.assertEqual(self.other_process("open"), "StoreLocked")
        first.shutdown()
        self.assertEqual(self.other_process("open"), "opened")
        with self.assertRaises(SatchelError.WrongKey):
            satchel.Satchel.open(config(self.folder / "store", key=TEST_KEY[::-1]))

    def other_process(self, *words):
        command = [sys.executable, str(pathlib.Path(__file__).with_name("other_process.py")), str(self.folder / "store"), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()

    def test_a_killed_process_leaves_what_it_acknowledged(self):
        """SIGKILL in the middle of completions: each that was printed is in the store, and it opens."""
        phone = SharedPhone.phone()
        doors = SharedPhone.doors(30)
        # The store moves to another process for a while.
        phone.pause()
        script = pathlib.Path(__file__).with_name("other_process.py")
        command = [sys.executable, str(script), str(SharedPhone.store), "complete", *[door.stop_id for door in doors]]
        acknowledged = []
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker:
            for line in worker.stdout:
                acknowledged.append(line.strip())
                if len(acknowledged) == 7:
                    worker.send_signal(signal.SIGKILL)
                    break
            acknowledged += [line.strip() for line in worker.stdout if line.endswith("\n")]
        phone.resume()
        self.assertGreaterEqual(len(acknowledged), 7)
        states = {door.stop_id: phone.stop(door.stop_id).state for door in doors}
        done = [stop for stop, state in states.items() if state is StopState.FAILED]
        self.assertTrue(set(acknowledged) <= set(done), "acknowledged and lost")
        # The one under way may have made it to the disk unheard, none beyond.
        self.assertLessEqual(len(done), len(acknowledged) + 1)
        [next_door] = [door for door in doors if door.stop_id not in done][:1]
        draft = phone.begin_attempt(next_door.stop_id, HandoffKind.RECIPIENT)
        phone.complete_attempt(draft.attempt_id, failed(next_door))

    def test_a_pause_closes_the_store_and_a_resume_brings_it_back(self):
        phone = satchel.Satchel.open(config(self.folder / "store"))
        phone.pause()
        with self.assertRaises(SatchelError.Paused):
            phone.stops()
        self.assertEqual(self.other_process("open"), "opened")
        phone.resume()
        self.assertEqual(phone.stops().total, 0)
        phone.shutdown()
        with self.assertRaises(SatchelError.Closed):
            phone.resume()

    def test_a_shutdown_during_calls_ends_them_with_an_answer_or_with_closed(self):
        for round_ in range(5):
            phone = satchel.Satchel.open(config(self.folder / f"shut-{round_}"))
            ends = []

            def ask():
                try:
                    while True:
                        phone.sync_status()
                except SatchelError.Closed:
                    ends.append("closed")

            threads = [threading.Thread(target=ask) for _ in range(4)]
            for thread in threads:
                thread.start()
            time.sleep(round_ * 0.002)
            phone.shutdown()
            for thread in threads:
                thread.join(30)
            self.assertEqual(ends, ["closed"] * 4)
            # Everything is let go of: the same store opens again at once.
            satchel.Satchel.open(config(self.folder / f"shut-{round_}")).shutdown()

    def test_a_stopped_sync_ends_after_its_request_and_loses_none(self):
        phone = SharedPhone.phone()
        [door] = SharedPhone.doors(1)
        draft = phone.begin_attempt(door.stop_id, HandoffKind.RECIPIENT)
        phone.complete_attempt(draft.attempt_id, failed(door))
        phone.request_sync()

        class Halting:
            """The real network; the program is told to end while the first request is under way."""

            def __init__(self):
                self.sent = 0

            def send(self, task):
                self.sent += 1
                host.stop()
                return satchel.HttpClientTransport().send(task)

        network = Halting()
        host = satchel.SyncHost(phone, network, lambda: NetworkState.UNMETERED)
        self.assertIs(host.run_until_done(60), SyncEnd.STOPPED)
        self.assertEqual(network.sent, 1)
        again = satchel.SyncHost(phone, satchel.HttpClientTransport(), lambda: NetworkState.UNMETERED)
        self.assertIs(again.run_until_done(60), SyncEnd.DONE)
        self.assertEqual(phone.stop(door.stop_id).sync, satchel.SyncState.PROOF_COMPLETE)

    def test_an_interrupt_in_the_transport_leaves_no_request_in_flight(self):
        """Ctrl-C: the exception goes to the program, and the next run sends what was under way."""
        phone = SharedPhone.phone()
        [door] = SharedPhone.doors(1)
        draft = phone.begin_attempt(door.stop_id, HandoffKind.RECIPIENT)
        phone.complete_attempt(draft.attempt_id, failed(door))
        phone.request_sync()

        class Interrupted:
            def send(self, _):
                raise KeyboardInterrupt

        with self.assertRaises(KeyboardInterrupt):
            satchel.SyncHost(phone, Interrupted(), lambda: NetworkState.UNMETERED).run()
        phone.request_sync()
        host = satchel.SyncHost(phone, satchel.HttpClientTransport(), lambda: NetworkState.UNMETERED)
        self.assertIs(host.run_until_done(60), SyncEnd.DONE)
        self.assertEqual(phone.stop(door.stop_id).sync, satchel.SyncState.PROOF_COMPLETE)

    def test_calls_from_many_threads_complete_every_door_once(self):
        phone = SharedPhone.phone()
        doors = SharedPhone.doors(24)
        entries, refused = [], []

        def complete(door):
            draft = phone.begin_attempt(door.stop_id, HandoffKind.RECIPIENT)
            try:
                entries.append(phone.complete_attempt(draft.attempt_id, failed(door)).parcels[0].seq)
            except SatchelError.AlreadyDone:
                refused.append(door.stop_id)

        threads = [threading.Thread(target=lambda part=doors[n::4]: [complete(d) for d in part]) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        self.assertEqual((len(set(entries)), refused), (24, []))

    def test_a_watcher_ends_a_long_search_and_the_plan_so_far_counts(self):
        phone = SharedPhone.phone()
        asked = []

        class Impatient(satchel.PlanWatcher):
            def goes_on(self, progress):
                asked.append(progress.permille)
                return False

        plan = phone.plan_thoroughly(Impatient())
        self.assertEqual(len(asked), 1, "a whole search asks some hundred times")
        self.assertEqual(phone.current_plan().made_at_ms, plan.made_at_ms)


if __name__ == "__main__":
    unittest.main()
