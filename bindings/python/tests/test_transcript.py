"""The recorded morning of phone and hub (tests/golden/transcript.json), read in plain Python without Satchel's code.

Every request must be signed by the phone's key as RFC 9421 and RFC 9530 say, every receipt by the hub's, and the photo
that goes up must be the one its receipt names.
"""

import base64
import hashlib
import json
import os
import pathlib
import re
import unittest

# Ed25519, RFC 8032 section 5.1: the checking half.
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def x_of(y, sign):
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if (x * x - square) % P:
        raise ValueError("not a point")
    return P - x if x % 2 != sign else x


def add(a, b):
    u, v = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    t, z = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = v - u, z - t, z + t, v + u
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(n, point):
    result = (0, 1, 1, 0)
    while n:
        if n & 1:
            result = add(result, point)
        point, n = add(point, point), n >> 1
    return result


def point(encoded):
    number = int.from_bytes(encoded, "little")
    y = number & (2**255 - 1)
    x = x_of(y, number >> 255)
    return x, y, 1, x * y % P


BASE = point(bytes.fromhex("58" + "66" * 31))


def verifies(key, message, signature):
    first, s = signature[:32], int.from_bytes(signature[32:], "little")
    h = int.from_bytes(hashlib.sha512(first + key + message).digest(), "little") % L
    left, right = times(s, BASE), add(point(first), times(h, point(key)))
    same = (left[0] * right[2] - right[0] * left[2]) % P, (left[1] * right[2] - right[1] * left[2]) % P
    return s < L and same == (0, 0)


def byte_string(cbor, at):
    """A CBOR byte string at `at`, and where it ends."""
    head = cbor[at]
    assert head >> 5 == 2, "a byte string"
    size, begin = head & 31, at + 1
    if size >= 24:
        wide = 1 << (size - 24)
        size, begin = int.from_bytes(cbor[begin : begin + wide], "big"), begin + wide
    return cbor[begin : begin + size], begin + size


class Transcript(unittest.TestCase):
    def setUp(self):
        golden = pathlib.Path(os.environ["SATCHEL_TESTDATA"], "../../tests/golden/transcript.json")
        self.recorded = json.loads(golden.read_text())

    def test_every_request_is_signed_by_the_phone_and_no_nonce_comes_twice(self):
        key, nonces = bytes.fromhex(self.recorded["device_key"]), set()
        for said in self.recorded["said"]:
            fields, body = dict(said["headers"]), base64.b64decode(said["body"])
            if said["url"].endswith("/v1/enrol"):
                continue
            with self.subTest(said["method"] + " " + said["url"]):
                params = fields["signature-input"].removeprefix("sig=")
                covered = re.findall(r'"([^"]+)"', params[: params.index(")")])
                self.assertEqual(covered[:2], ["@method", "@target-uri"])
                if "content-digest" in covered:
                    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
                    self.assertEqual(fields["content-digest"], f"sha-256=:{digest}:")
                else:
                    self.assertEqual(body, b"")
                derived = {"@method": said["method"], "@target-uri": said["url"]}
                lines = [f'"{name}": {derived.get(name, fields.get(name))}' for name in covered]
                base = "\n".join([*lines, f'"@signature-params": {params}'])
                signature = base64.b64decode(fields["signature"][5:-1])
                self.assertTrue(verifies(key, base.encode(), signature))
                self.assertFalse(verifies(key, base.encode() + b" ", signature))
                nonces.add(re.search(r';nonce="([^"]+)"', params)[1])
        self.assertEqual(len(nonces), len(self.recorded["said"]) - 1)

    def test_every_receipt_is_signed_by_the_hub_and_names_the_photo(self):
        key, photos = bytes.fromhex(self.recorded["hub_key"]), 0
        receipts = [s for s in self.recorded["said"] if ["content-type", "application/vnd.satchel.receipt"] in s["answer_headers"]]
        self.assertGreater(len(receipts), 3)
        for said in receipts:
            answer = base64.b64decode(said["answer_body"])
            receipt, end = byte_string(answer, 1)
            signature, _ = byte_string(answer, end)
            self.assertTrue(verifies(key, b"satchel-receipt/1\0" + receipt, signature), said["url"])
            if said["method"] == "POST" and said["url"].endswith("/v1/proofs"):
                body = base64.b64decode(said["body"])
                self.assertEqual((body[:2], said["status"]), (b"\xff\xd8", 201))
                self.assertIn(hashlib.sha256(body).digest(), receipt)
                self.assertIn(["upload-offset", str(len(body))], said["answer_headers"])
                photos += 1
        self.assertEqual(photos, 1)


if __name__ == "__main__":
    unittest.main()
