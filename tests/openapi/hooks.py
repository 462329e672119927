"""What schemathesis cannot know of the hub: how a phone enrols and signs, and the four binary formats.

It stands in for a phone in plain Python, written from the description of the protocol and not from its
Rust code, so that a request signature is checked against a second hand. Needs `cryptography` and `cbor2`
from PyPI. The invite comes in SATCHEL_INVITE; every run enrols a phone of its own.
"""

import base64
import hashlib
import json
import os
import time
import urllib.parse
import urllib.request
import uuid

import cbor2
import requests
import schemathesis
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
BINARY = (
    "application/offset+octet-stream",
    "application/vnd.satchel.batch",
    "application/vnd.satchel.escrow",
)


def from_base32(text):
    bits = "".join(f"{CROCKFORD.index(char):05b}" for char in text)
    return bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits) // 8 * 8, 8))


def to_base32(data):
    bits = "".join(f"{byte:08b}" for byte in data)
    bits += "0" * (-len(bits) % 5)
    return "".join(CROCKFORD[int(bits[at : at + 5], 2)] for at in range(0, len(bits), 5))


def b64(data):
    return base64.b64encode(data).decode()


class Phone(requests.auth.AuthBase):
    """An enrolled device that signs whatever is about to be sent (RFC 9421, the one profile)."""

    def __init__(self, invite):
        _, self.hub, code, _ = cbor2.loads(from_base32(invite.removeprefix("SATCHEL:")))
        self.key = Ed25519PrivateKey.generate()
        self.device = uuid.uuid4()
        public = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        label, code = "schemathesis", to_base32(code)
        message = code.encode() + b"\0" + self.device.bytes + public + label.encode()
        body = {
            "code": code,
            "device_id": str(self.device),
            "log_key": public.hex(),
            "label": label,
            "sig": self.key.sign(b"satchel-enrol/1\0" + message).hex(),
        }
        request = urllib.request.Request(
            f"{self.hub}/v1/enrol", json.dumps(body).encode(), {"content-type": "application/json"}
        )
        urllib.request.urlopen(request).read()

    def __call__(self, request):
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        digest = f"sha-256=:{b64(hashlib.sha256(body).digest())}:"
        once, created = uuid.uuid4().hex, int(time.time())
        nonce = base64.urlsafe_b64encode(os.urandom(12)).decode().rstrip("=")
        member = (
            '("@method" "@target-uri" "content-digest" "idempotency-key")'
            f';created={created};expires={created + 60};nonce="{nonce}";keyid="{self.device}";tag="courier"'
        )
        base = (
            f'"@method": {request.method}\n"@target-uri": {self.hub}{request.path_url}\n'
            f'"content-digest": {digest}\n"idempotency-key": {once}\n"@signature-params": {member}'
        )
        request.headers["Content-Digest"] = digest
        request.headers["Idempotency-Key"] = once
        request.headers["Signature-Input"] = f"sig={member}"
        request.headers["Signature"] = f"sig=:{b64(self.key.sign(base.encode()))}:"
        return request


schemathesis.auth.set_from_requests(Phone(os.environ["SATCHEL_INVITE"])).skip_for(path="/v1/enrol")


@schemathesis.hook
def map_query(_context, query):
    """The hub waits for news as long as it is asked to, up to 25 s; a drawn request may not hold up the run so long."""
    if query and str(query.get("wait", "")).isdigit() and int(query["wait"]) > 1:
        query["wait"] = 1
    return query


@schemathesis.serializer(*BINARY)
def raw(_context, value):
    return value if isinstance(value, bytes) else bytes(str(value), "utf-8")


@schemathesis.deserializer("application/vnd.satchel.receipt")
def receipt(_context, response):
    """A receipt is bytes to everyone but a phone; that it is CBOR is as much as a stranger can say."""
    cbor2.loads(response.content)
    return response.content.hex()
