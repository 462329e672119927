"""Satchel for Python: the courier's phone as a library.

Open a :class:`Satchel` with a :class:`SatchelConfig`, and let a :class:`SyncHost` do the network's part.
Every call blocks; errors are the variants of :class:`SatchelError`, one per thing to do about it.
"""

from ._generated import *  # noqa: F401,F403  (generated next to this file by scripts/bindings)
from .key_file import KeyLost, load_key  # noqa: F401
from .phone_keys import FileSigningKey, PhoneKeys  # noqa: F401
from .sync_host import HttpClientTransport, SyncEnd, SyncHost  # noqa: F401
