"""The store's key in a file, for machines without a keystore: kept by the rights of the file system alone."""

import os
import pathlib

_KEY_BYTES = 32


class KeyLost(Exception):
    """There is a store and no whole key to it: keep the files, call support. A new key would not open it."""


def load_key(path, directory):
    """The key of the store in ``directory`` from the file ``path``; made when there is neither.

    The file is readable by its user alone. It is never replaced: a key that is gone takes the store with it.
    """
    path = pathlib.Path(path)
    if destroyed_mark(path).exists():
        raise KeyLost("the hub ordered a wipe: PhoneKeys.finish_wipe")
    # Asked before the key is looked for: whoever makes both makes the key first.
    is_store = (pathlib.Path(directory) / "satchel.db").exists()
    try:
        key = path.read_bytes()
    except FileNotFoundError:
        if is_store:
            raise KeyLost("the store is there, its key is not") from None
        return _make_key(path)
    if len(key) != _KEY_BYTES:
        raise KeyLost("the file of the key is not whole")
    return key


def destroyed_mark(path):
    """Lies beside the key from the first step of a wipe to its last."""
    return path.with_name(path.name + ".destroyed")


def _make_key(path):
    """Whole or not at all under its name, so that a power cut leaves no half key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    key = os.urandom(_KEY_BYTES)
    part = path.with_name(f"{path.name}.{os.urandom(8).hex()}.part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "wb") as file:
            file.write(key)
            file.flush()
            os.fsync(file.fileno())
        # Unlike a rename, a link does not replace the key that another process made meanwhile.
        os.link(part, path)
    except FileExistsError:
        return path.read_bytes()
    finally:
        part.unlink()
    _flush_folder(path.parent)
    return key


def _flush_folder(folder):
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
