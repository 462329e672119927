"""One courier's day against a real hub: enrol, load the round, go offline, deliver, come back, be rated."""

import json
import os
import pathlib
import tempfile
import unittest
import urllib.error
import urllib.request

import satchel
from satchel import Action, HandoffKind, NetworkState, Reason, SatchelError, SyncEnd, SyncState

from day import TEST_KEY, config, delivered, given, handed_over, photograph, signature


class MiniatureDay(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.network = NetworkState.UNMETERED
        self.recorded = []
        self.photos = 0

    def test_a_day_from_enrolment_to_rating_with_the_network_gone_in_the_middle(self):
        self.phone = satchel.Satchel.open(config(self.folder / "store"))
        self.uploads = []
        self.enrol_and_load()
        self.network = NetworkState.OFFLINE
        self.assertIs(self.host().run(), SyncEnd.WAITING)

        self.plan_the_order()
        stops = {stop.parcels[0].waybill: stop for stop in self.phone.stops().stops}
        self.deliver_two_parcels_at_one_door(stops["PY-0001"])
        self.deliver(stops["PY-0003"])
        self.crash_and_come_back(stops["PY-0004"])
        self.at_the_front_desk(stops["PY-0005"])
        self.fail_at_a_closed_door(stops["PY-0007"])
        self.leave_at_the_door(stops["PY-0008"])
        self.deliver(stops["PY-0006"])
        self.deliver(stops["PY-0009"])
        unsent = self.phone.sync_status().unsent_entries
        # Nine parcels, what was revealed, two calls, a consent and its withdrawal; reminders besides.
        self.assertGreaterEqual(unsent, 14)
        states = {stop.sync for stop in self.phone.stops().stops}
        self.assertEqual(states, {SyncState.LOCAL}, "nothing counts before its receipt")

        self.come_online()
        self.be_rated(stops["PY-0003"])
        self.write_record()
        self.phone.shutdown()
        with self.assertRaises(SatchelError.Closed):
            self.phone.stops()

    def host(self):
        transport = satchel.HttpClientTransport()
        return satchel.SyncHost(self.phone, transport, lambda: self.network, before_send=self.note_upload)

    def note_upload(self, request):
        if request.upload is not None:
            self.uploads.append((request.upload.from_bytes, request.upload.size_bytes > 1_000))

    def sync(self):
        end = self.host().run_until_done(60)
        self.assertIs(end, SyncEnd.DONE, self.phone.sync_status())

    def enrol_and_load(self):
        self.assertTrue(self.phone.enrolment().is_ABSENT())
        with self.assertRaises(SatchelError.InviteRejected):
            self.phone.enrol("SATCHEL:NOTHING", "test phone")
        self.phone.enrol(given("SATCHEL_INVITE_PYTHON"), "test phone")
        self.assertTrue(self.phone.enrolment().is_PENDING())
        self.sync()
        self.assertEqual(self.phone.enrolment().courier_name, "Python")
        with self.assertRaises(SatchelError.AlreadyDone) as again:
            self.phone.enrol(given("SATCHEL_INVITE_PYTHON"), "test phone")
        self.assertEqual(again.exception.what, "enrolment")

        [route] = self.phone.routes()
        self.assertEqual(route.open_stops, 8)
        first = self.phone.stops(limit=3)
        rest = self.phone.stops(offset=first.next_offset, limit=500)
        self.assertIsNone(rest.next_offset)
        self.assertEqual(len({stop.stop_id for stop in first.stops + rest.stops}), 8)
        self.assertEqual(len(self.phone.changes_since(0).stop_ids), 8)
        self.assertEqual([stop.past for stop in self.phone.stops_of(route.route_id).stops], [False] * 8)
        self.assertEqual(self.phone.past_routes(), [])
        name = first.stops[0].recipient_name
        self.assertTrue(name.startswith("测") and "甲" not in name, f"masked by default: {name}")

    def plan_the_order(self):
        """Without a network: a plan, a wish, a delay, and why a stop is where it is."""
        self.assertIsNone(self.phone.current_plan())
        plan = self.phone.plan()
        seen = []

        class Patient(satchel.PlanWatcher):
            def goes_on(self, progress):
                seen.append(progress.permille)
                return True

        class Broken(satchel.PlanWatcher):
            def goes_on(self, progress):
                raise RuntimeError("a defect of the app ends the search and nothing else")

        longer = self.phone.plan_thoroughly(Patient())
        # Later by the moments between the two plans, to the second.
        took = [each.completion_ms - each.departure_ms for each in (longer, plan)]
        self.assertLessEqual(took[0], took[1] + 1_000)
        self.assertTrue(len(seen) > 1 and seen == sorted(seen), seen[:9])
        self.assertEqual(len(self.phone.plan_thoroughly(Broken()).stops), 8)
        plan = self.phone.plan()
        order = [stop.stop_id for stop in plan.stops]
        self.assertEqual(order, [stop.stop_id for stop in self.phone.stops().stops])
        self.phone.set_plan_wishes(satchel.PlanWishes(first_stop_id=order[5], breaks=[]))
        late = self.phone.replan(satchel.PlanEvent.DELAYED(by_ms=600_000))
        self.assertEqual(late.stops[0].stop_id, order[5])
        self.assertTrue(late.change.moved_stop_ids)
        self.assertEqual(late.change.dropped_stop_ids, [])
        self.assertEqual(late.departure_ms - late.made_at_ms, 600_000)
        self.assertLessEqual((late.lateness, late.completion_ms), (late.lateness_before, late.completion_before_ms))
        why = self.phone.why(order[5])
        self.assertIs(why.planned.why, satchel.PlanReason.FIRST)
        self.assertEqual((why.position, why.of, why.text_en), (1, 8, "You asked for it first"))
        self.assertEqual(self.phone.current_plan(), late)
        with self.assertRaises(SatchelError.NotFound):
            self.phone.replan(satchel.PlanEvent.CANCELLED(stop_id=order[0][:-1] + "0"))
        circle = [satchel.StopPair(first_stop_id=a, then_stop_id=b) for a, b in (order[:2], order[1::-1])]
        with self.assertRaises(SatchelError.InvalidInput):
            self.phone.set_plan_wishes(satchel.PlanWishes(before=circle))
        self.phone.set_plan_wishes(satchel.PlanWishes())

    def add_photo(self, attempt_id):
        self.photos += 1
        path = photograph(self.folder / "photo.png", seed=self.photos)
        photo = self.phone.add_photo(attempt_id, str(path), satchel.PhotoOrigin.CAMERA)
        os.remove(path)
        return photo

    def complete(self, stop, completion, photos=1):
        draft = self.phone.begin_attempt(stop.stop_id, completion.handoff)
        for _ in range(photos):
            self.add_photo(draft.attempt_id)
        return self.finish(draft.attempt_id, completion, photos)

    def finish(self, attempt_id, completion, photos):
        done = self.phone.complete_attempt(attempt_id, completion)
        self.recorded.append((done, photos + (completion.signature is not None)))
        return done

    def deliver(self, stop):
        # No thermometer: the rules let the reading be left out with a reason; fresh goods want two photos.
        completion = handed_over(stop, signature())
        completion.skips = [
            satchel.Skip(
                item=satchel.RequirementItem.TEMPERATURE, reason=satchel.SkipReason.DEVICE_FAULT
            )
        ]
        done = self.complete(stop, completion, photos=2)
        after = self.phone.stop(stop.stop_id)
        self.assertEqual((after.state, after.sync), (satchel.StopState.DONE, SyncState.LOCAL))
        self.assertEqual(len(done.parcels), len(stop.parcels))

    def deliver_two_parcels_at_one_door(self, stop):
        """A stop with two parcels, and everything that is refused on the way."""
        self.assertEqual(len(stop.parcels), 2)
        self.assertEqual(self.phone.reveal(stop.stop_id).name, "测试甲")
        attempt = self.phone.begin_attempt(stop.stop_id, HandoffKind.RECIPIENT).attempt_id
        with self.assertRaises(SatchelError.Refused) as missing:
            self.phone.complete_attempt(attempt, handed_over(stop, None))
        self.assertIs(missing.exception.rule, satchel.RefusalRule.ITEMS_MISSING)
        items = satchel.RequirementItem
        self.assertEqual(missing.exception.missing, [items.PHOTO, items.SIGNATURE])
        self.assertIn("签名", missing.exception.text_zh)

        text = self.folder / "note.jpg"
        text.write_text("this is not a picture")
        with self.assertRaises(SatchelError.PhotoRejected) as no_photo:
            self.phone.add_photo(attempt, str(text), satchel.PhotoOrigin.CAMERA)
        self.assertIs(no_photo.exception.reason, satchel.PhotoProblem.NOT_AN_IMAGE)
        photo = self.add_photo(attempt)
        self.assertEqual((photo.width_px, photo.height_px, photo.warnings), (1024, 768, []))

        no_ink = satchel.Signature(strokes=[], canvas_width=600, canvas_height=300)
        with self.assertRaises(SatchelError.SignatureRejected) as empty:
            self.phone.complete_attempt(attempt, handed_over(stop, no_ink))
        self.assertIs(empty.exception.reason, satchel.SignatureProblem.EMPTY)

        done = self.finish(attempt, handed_over(stop, signature()), photos=1)
        self.assertEqual(len(done.parcels), 2)
        with self.assertRaises(SatchelError.AlreadyDone) as twice:
            self.phone.complete_attempt(attempt, handed_over(stop, signature()))
        self.assertEqual(twice.exception.what, "attempt")
        self.look_back(attempt, photo.hash)

    def look_back(self, attempt, photo):
        """Photo, small copy and ink as they are stored, the ink in other programs' forms and back."""
        whole, small = self.phone.photo_jpeg(attempt, photo), self.phone.photo_thumbnail(attempt, photo)
        self.assertTrue(whole.startswith(b"\xff\xd8") and small.startswith(b"\xff\xd8"))
        self.assertLess(len(small), len(whole))
        forms = self.phone.signature_forms(attempt)
        self.assertTrue(forms.png.startswith(b"\x89PNG") and "<svg" in forms.svg and "<ink" in forms.inkml)
        points = [len(stroke["points"]) for stroke in json.loads(forms.signature_pad_json)]
        again = satchel.signature_from_pad_json(forms.signature_pad_json, 600, 200)
        self.assertEqual([len(stroke) for stroke in again.strokes], points)
        used = self.phone.storage_usage()
        self.assertGreater(used.waiting_photos, 0)
        self.assertGreaterEqual(used.thumbnails, used.waiting_photos)
        self.assertGreater(used.thumbnail_bytes, 0)
        self.assertLess(used.free_quota_bytes, used.quota_bytes)

    def crash_and_come_back(self, stop):
        """Closing the app between photo and completion loses neither; others get no way in."""
        store = self.folder / "store"
        with self.assertRaises(SatchelError.StoreLocked):
            satchel.Satchel.open(config(store))
        draft = self.phone.begin_attempt(stop.stop_id, HandoffKind.RECIPIENT)
        self.add_photo(draft.attempt_id)
        self.phone.pause()
        with self.assertRaises(SatchelError.Paused):
            self.phone.stops()
        self.phone.resume()
        self.phone.shutdown()

        with self.assertRaises(SatchelError.WrongKey):
            satchel.Satchel.open(config(store, key=b"\0" + TEST_KEY[1:]))
        self.phone = satchel.Satchel.open(config(store))
        again = self.phone.begin_attempt(stop.stop_id, HandoffKind.RECIPIENT)
        self.assertEqual(again.attempt_id, draft.attempt_id)
        self.finish(again.attempt_id, handed_over(stop, signature()), photos=1)

    def at_the_front_desk(self, stop):
        self.assertEqual(stop.parcels[0].consents, [HandoffKind.FRONT_DESK])
        completion = satchel.Completion(
            handoff=HandoffKind.FRONT_DESK,
            parcels=delivered(stop),
            signer_name="前台小虚",
            relation=satchel.Relation.FRONT_DESK,
        )
        self.complete(stop, completion, photos=2)

    def fail_at_a_closed_door(self, stop):
        """The station without consent, an action that does not fit the reason, then what is right."""
        options = {option.handoff: option for option in self.phone.handoffs(stop.stop_id)}
        self.assertIs(options[HandoffKind.STATION].locked.rule, satchel.RefusalRule.CONSENT_MISSING)
        with self.assertRaises(SatchelError.Refused) as refused:
            self.phone.begin_attempt(stop.stop_id, HandoffKind.STATION)
        self.assertIs(refused.exception.rule, satchel.RefusalRule.CONSENT_MISSING)

        parcel = stop.parcels[0].parcel_id

        def failed(action):
            outcome = satchel.ParcelOutcome.FAILED(reason=Reason.RECIPIENT_ABSENT, action=action)
            return satchel.Completion(
                handoff=HandoffKind.RECIPIENT,
                parcels=[satchel.ParcelResult(parcel_id=parcel, outcome=outcome)],
            )

        draft = self.phone.begin_attempt(stop.stop_id, HandoffKind.RECIPIENT)
        with self.assertRaises(SatchelError.Refused) as illegal:
            self.phone.complete_attempt(draft.attempt_id, failed(Action.RESEND_CODE))
        self.assertIs(illegal.exception.rule, satchel.RefusalRule.ILLEGAL_ACTION)

        [label] = [r for r in satchel.code_lists().reasons if r.reason is Reason.RECIPIENT_ABSENT]
        with self.assertRaises(SatchelError.Refused) as silent:
            self.phone.complete_attempt(draft.attempt_id, failed(label.actions[0]))
        self.assertIs(silent.exception.rule, satchel.RefusalRule.NO_CONTACT)
        self.phone.log_call(
            satchel.CallRequest(
                stop_id=stop.stop_id, number="10000000001", result=satchel.CallResult.NO_ANSWER
            )
        )
        done = self.finish(draft.attempt_id, failed(label.actions[0]), photos=0)
        self.assertIsNone(done.parcels[0].rating)
        self.agree_to_the_station(stop)
        [line] = self.phone.history(parcel).lines
        self.assertEqual((line.what.code, line.counts), ("RECIPIENT_ABSENT", True))
        self.assertIs(self.phone.stop(stop.stop_id).state, satchel.StopState.FAILED)
        with self.assertRaises(SatchelError.NotFound):
            self.phone.rating_code(parcel)

    def agree_to_the_station(self, stop):
        """A consent on the spot opens the station; taken back, it is shut again."""
        call = self.phone.log_call(
            satchel.CallRequest(
                stop_id=stop.stop_id,
                number="10000000001",
                result=satchel.CallResult.ANSWERED,
                duration_s=25,
            )
        )
        consent = self.phone.record_consent(
            satchel.ConsentRequest(
                stop_id=stop.stop_id,
                handoffs=[HandoffKind.STATION],
                evidence=satchel.ConsentEvidence.CALL(seq=call.seq),
            )
        )
        locks = lambda: {o.handoff: o.locked for o in self.phone.handoffs(stop.stop_id)}
        self.assertIsNone(locks()[HandoffKind.STATION])
        self.phone.withdraw_consent(consent.consent_id)
        self.assertIs(locks()[HandoffKind.STATION].rule, satchel.RefusalRule.CONSENT_INVALID)

    def leave_at_the_door(self, stop):
        completion = satchel.Completion(
            handoff=HandoffKind.LEAVE_AT_DOOR, parcels=delivered(stop), note="放在门口鞋柜上"
        )
        self.complete(stop, completion)

    def come_online(self):
        self.network = NetworkState.UNMETERED
        self.phone.request_sync()
        self.sync()
        states = {stop.position: stop.sync for stop in self.phone.stops().stops}
        self.assertEqual(set(states.values()), {SyncState.PROOF_COMPLETE}, states)
        status = self.phone.sync_status()
        self.assertEqual((status.unsent_entries, status.unsent_proofs, status.receipt_alarms), (0, 0, 0))
        self.assertIsNone(status.blocking)
        self.assertEqual(set(self.uploads), {(0, True)})

    def be_rated(self, stop):
        parcel = stop.parcels[0].parcel_id
        code = self.phone.rating_qr(parcel)
        self.assertEqual(code.url, self.phone.rating_code(parcel).url)
        self.assertEqual(len(code.modules), code.size_modules**2)
        self.assertEqual(code.modules[0], 1, "the corner of a finder is black")
        self.assertTrue(code.svg.startswith("<svg") and code.png.startswith(b"\x89PNG"))

        form = "stars=5&tag_patient=1&comment=%E5%BE%88%E5%A5%BD".encode()
        self.assertEqual(post_form(code.url, form), 303)
        self.phone.request_sync()
        self.sync()
        rating = self.phone.stop(stop.stop_id).parcels[0].rating
        self.assertIsNotNone(rating)
        self.assertEqual((rating.stars, rating.comment, rating.tags), (5, "很好", ["patient"]))

    def write_record(self):
        """What the driver compares with the hub: one line per parcel of an attempt."""
        with open(given("SATCHEL_RECORD_PYTHON"), "w", encoding="utf-8") as file:
            for done, proofs in self.recorded:
                for p in done.parcels:
                    file.write(f"{done.attempt_id}\t{p.parcel_id}\t{p.seq}\t{p.entry_hash}\t{proofs}\n")


def post_form(url, body):
    """Posts as a browser would and gives the status, without following the redirect."""

    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_):
            return None

    try:
        # urllib sends a body as a form unless told otherwise.
        return urllib.request.build_opener(Stay).open(url, data=body, timeout=10).status
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code


if __name__ == "__main__":
    unittest.main()
