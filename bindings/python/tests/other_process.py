"""What test_life.py does in another process.

usage: other_process.py STORE open              prints "opened" or the error's name
       other_process.py STORE complete STOP…    completes door after door, printing each once it is on disk
"""

import sys

import satchel

from day import config, failed


def main():
    store, what, *stops = sys.argv[1:]
    try:
        phone = satchel.Satchel.open(config(store))
    except satchel.SatchelError as error:
        print(type(error).__name__)
        return
    if what == "open":
        print("opened")
        phone.shutdown()
        return
    for stop_id in stops:
        door = phone.stop(stop_id)
        draft = phone.begin_attempt(stop_id, satchel.HandoffKind.RECIPIENT)
        phone.complete_attempt(draft.attempt_id, failed(door))
        print(stop_id, flush=True)


main()
