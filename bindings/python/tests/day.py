"""What the tests need of a day: a key, a photo, a signature."""

import atexit
import binascii
import itertools
import math
import os
import pathlib
import struct
import tempfile
import zlib

import satchel

TEST_KEY = bytes((i * 7 + 1) % 256 for i in range(32))
"""As a keystore would give it; fixed, so that a store can be opened again."""


def given(name):
    """What the driver gives."""
    value = os.environ.get(name)
    if value is None:
        raise RuntimeError(f"{name} is not set: this test runs from scripts/test-bindings")
    return value


def config(directory, key=TEST_KEY, **more):
    return satchel.SatchelConfig(directory=str(directory), key=key, **more)


def photograph(path, seed):
    """Writes a photo a camera could have taken, as a PNG: light, with edges, large enough for a label."""
    width, height = 1024, 768
    rows = []
    for y in range(height):
        row = bytearray(b"\0")
        for x in range(0, width, 32):
            # Neighbouring blocks must differ: a smooth picture counts as blurred.
            block = zlib.crc32(bytes((x // 32, y // 32, seed)))
            row += struct.pack("<I", block)[:3] * 32
        rows.append(bytes(row))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", binascii.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n")
        file.write(chunk(b"IHDR", header))
        file.write(chunk(b"IDAT", zlib.compress(b"".join(rows), 1)))
        file.write(chunk(b"IEND", b""))
    return path


def signature():
    """Two strokes as a pad gives them."""
    wave = [satchel.InkPoint(x=40 + i * 5, y=150 + 60 * math.sin(i / 6), t_ms=i * 8) for i in range(80)]
    bar = [satchel.InkPoint(x=120 + i * 6, y=230 - i * 2, t_ms=900 + i * 8) for i in range(30)]
    return satchel.Signature(strokes=[wave, bar], canvas_width=600, canvas_height=300)


def delivered(stop):
    """Every parcel of the stop scanned and handed over."""
    return [
        satchel.ParcelResult(
            parcel_id=p.parcel_id, outcome=satchel.ParcelOutcome.DELIVERED(), scan=p.waybill
        )
        for p in stop.parcels
    ]


def handed_over(stop, ink):
    """Into the recipient's own hands."""
    return satchel.Completion(
        handoff=satchel.HandoffKind.RECIPIENT,
        parcels=delivered(stop),
        relation=satchel.Relation.ONESELF,
        identity=satchel.RecipientCheck(method=satchel.IdentityMethod.PHONE_LAST4, matched=True),
        inspection=satchel.InspectionResult.DECLINED,
        signature=ink,
        position=satchel.Position(lat=stop.lat, lng=stop.lng, accuracy_m=8, age_ms=1500, mock=False),
    )


def failed(stop):
    """Not delivered because of the weather: needs no call, and leaves every parcel open for the next try."""
    outcome = satchel.ParcelOutcome.FAILED(reason=satchel.Reason.WEATHER, action=satchel.Action.EXCUSED_RETRY)
    return satchel.Completion(
        handoff=satchel.HandoffKind.RECIPIENT,
        parcels=[satchel.ParcelResult(parcel_id=p.parcel_id, outcome=outcome) for p in stop.parcels],
    )


class SharedPhone:
    """One phone with a long round for all tests that need one; each test takes doors of its own."""

    _opened = None

    @classmethod
    def phone(cls):
        if cls._opened is None:
            folder = tempfile.TemporaryDirectory()
            atexit.register(folder.cleanup)
            cls.store = pathlib.Path(folder.name) / "store"
            phone = satchel.Satchel.open(config(cls.store))
            atexit.register(phone.shutdown)
            phone.enrol(given("SATCHEL_INVITE_PYTHON_MORE"), "shared test phone")
            host = satchel.SyncHost(phone, satchel.HttpClientTransport(), lambda: satchel.NetworkState.UNMETERED)
            end = host.run_until_done(60)
            if end is not satchel.SyncEnd.DONE:
                raise RuntimeError(f"the round did not come: {end}")
            cls._doors = iter(phone.stops(limit=500).stops)
            cls._opened = phone
        return cls._opened

    @classmethod
    def doors(cls, count):
        """Doors no other test touches."""
        cls.phone()
        return list(itertools.islice(cls._doors, count))
