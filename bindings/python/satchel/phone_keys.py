"""What the sync host does with a phone's keys: vouch for the key of its log, and be gone when the hub orders a wipe."""

import enum
import os
import pathlib
import subprocess

from ._generated import SatchelError, remove_store
from .key_file import destroyed_mark


class FileSigningKey:
    """A P-256 key in a file, signed with by the program ``openssl``: stands in for one in hardware.

    It vouches for nothing that somebody who can read the file could not say himself, so it is for tests and for hubs
    that insist on a key. Another object with these three methods may ask a TPM or a card.
    """

    def __init__(self, path):
        self._path = pathlib.Path(path)

    def public_key(self):
        """The public half as ``SubjectPublicKeyInfo``; the pair is made at the first call."""
        if not self._path.exists():
            self._path.parent.mkdir(parents=True, exist_ok=True)
            part = self._path.with_name(self._path.name + ".part")
            os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
            self._openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", str(part))
            os.replace(part, self._path)
        return self._openssl("pkey", "-in", str(self._path), "-pubout", "-outform", "DER")

    def sign(self, data):
        """ECDSA with SHA-256, in DER."""
        return self._openssl("dgst", "-sha256", "-sign", str(self._path), given=data)

    def destroy(self):
        """Takes the pair away, if it is there."""
        self._path.unlink(missing_ok=True)

    @staticmethod
    def _openssl(*words, given=b""):
        return subprocess.run(["openssl", *words], input=given, capture_output=True, check=True).stdout


class PhoneKeys:
    """The file of the store's key (`load_key`), the store's folder, and the key that vouches for the log, if any."""

    def __init__(self, key_file, directory, signing=None):
        self._key_file = pathlib.Path(key_file)
        self._directory = pathlib.Path(directory)
        self.signing = signing

    def finish_wipe(self):
        """Ends a wipe that a kill cut off; call it before `load_key`. True when there was one: a new enrolment may begin."""
        if not destroyed_mark(self._key_file).exists():
            return False
        self.destroy()
        remove_store(str(self._directory))
        self.forget()
        return True

    def destroy(self):
        """Destroys the keys, as the hub ordered: nobody opens the store after this."""
        # The mark first: whoever finds it knows that no new key is to be made for this store.
        destroyed_mark(self._key_file).touch(mode=0o600)
        self._key_file.unlink(missing_ok=True)
        if self.signing is not None:
            self.signing.destroy()

    def forget(self):
        """The wiped store's files are gone too: the next `load_key` makes a new key."""
        destroyed_mark(self._key_file).unlink(missing_ok=True)


class KeyWork(enum.Enum):
    """What the library wanted of the keys, and what came of it."""

    NOTHING = 0
    SERVED = 1
    FAILED = 2
    WIPED = 3


def offer(satchel, keys):
    """Names the hardware key before the enrolment goes out, so that the hub's answer already carries it."""
    if keys is None or keys.signing is None or not satchel.enrolment().is_PENDING():
        return KeyWork.NOTHING, None
    return _trying(lambda: satchel.offer_hardware_key(keys.signing.public_key()))


def serve(satchel, keys):
    """Does what the library asks of the keys now, one task."""
    task = satchel.key_task() if keys is not None else None
    if task is None or (keys.signing is None and not task.is_DESTROY_KEY()):
        return KeyWork.NOTHING, None
    if task.is_OFFER():
        return _trying(lambda: satchel.offer_hardware_key(keys.signing.public_key()))
    if task.is_SIGN():
        return _trying(lambda: satchel.complete_key_task(task.id, keys.signing.sign(task.bytes)))
    # In this order: while the key is there the store could still be read, so it goes first.
    keys.destroy()
    satchel.complete_key_task(task.id, b"")
    keys.forget()
    return KeyWork.WIPED, None


def _trying(work):
    try:
        work()
    except (OSError, subprocess.SubprocessError, ValueError, SatchelError.InvalidInput) as error:
        # The hardware's troubles, or a signature that does not fit; the store's own are the run's.
        return KeyWork.FAILED, error
    return KeyWork.SERVED, None
