"""Compares what a phone recorded with what the hub holds, and its whole log with the golden one.

usage: check_day.py AUDIT.json RECORD.tsv LANGUAGE HUB.db

RECORD has one line per parcel of an attempt: attempt, parcel, seq, entry hash, number of proofs.
The golden log, day.golden.tsv, is the same for every language: who plays the day plays it alike, and no
binding adds, drops or reorders an entry. SATCHEL_GOLDEN=write writes it anew.
"""

import contextlib
import json
import os
import pathlib
import sqlite3
import sys

GOLDEN = pathlib.Path(__file__).with_name("day.golden.tsv")


def log_of(device, audit, hub_db):
    """A device's log without what differs from day to day: ids, hashes, times, the language's waybills."""
    attempts = {}
    for parcel in audit["parcels"]:
        for attempt in parcel["attempts"]:
            if attempt["device"] == device:
                kinds = "+".join(sorted(proof["kind"] for proof in attempt["proofs"]))
                words = (parcel["waybill"].split("-")[-1], attempt["handoff"], attempt["outcome"], kinds or "-")
                attempts[attempt["seq"]] = "\t".join(words)
    database = sqlite3.connect(f"file:{hub_db}?mode=ro", uri=True)
    with contextlib.closing(database):
        rows = database.execute(
            "SELECT seq, kind FROM entry WHERE device_id = ? ORDER BY seq", [bytes.fromhex(device.replace("-", ""))]
        ).fetchall()
    return "".join(f"{kind}\t{attempts.get(seq, '-')}\n" for seq, kind in rows)


def alarms_of(device, hub_db):
    """What the hub finds wrong with a device's log. The invented day is long over, so a hub that runs for some
    minutes also asks for parcels nobody accounted for; that is about the day and not about the log."""
    database = sqlite3.connect(f"file:{hub_db}?mode=ro", uri=True)
    with contextlib.closing(database):
        rows = database.execute(
            "SELECT DISTINCT kind FROM alarm WHERE device_id = ? AND cleared_at_ms IS NULL AND kind <> 'no_outcome'",
            [bytes.fromhex(device.replace("-", ""))],
        ).fetchall()
    return sorted(kind for [kind] in rows)


def main():
    audit_path, record_path, language, hub_db = sys.argv[1:]
    with open(audit_path, encoding="utf-8") as file:
        audit = json.load(file)
    with open(record_path, encoding="utf-8") as file:
        recorded = [line.rstrip("\n").split("\t") for line in file]

    held = {}
    for parcel in audit["parcels"]:
        for attempt in parcel["attempts"]:
            held.setdefault((attempt["attempt"], parcel["parcel"]), []).append(attempt)

    problems = []
    devices = set()
    proofs = 0
    for attempt_id, parcel_id, seq, entry_hash, proof_count in recorded:
        at_hub = held.get((attempt_id, parcel_id), [])
        if len(at_hub) != 1:
            problems.append(f"seq {seq}: the hub holds {len(at_hub)} attempts, not one")
            continue
        [attempt] = at_hub
        devices.add(attempt["device"])
        if (attempt["seq"], attempt["hash"]) != (int(seq), entry_hash):
            problems.append(f"seq {seq}: the hub holds another entry")
        whole = [p for p in attempt["proofs"] if p["bound"] and p["complete"]]
        if len(attempt["proofs"]) != int(proof_count) or len(whole) != int(proof_count):
            problems.append(f"seq {seq}: {len(whole)} of {proof_count} proofs are complete")
        proofs += len(whole)

    if len(devices) != 1:
        problems.append(f"the attempts came from {len(devices)} devices, not one")
    for device in audit["devices"]:
        if device["device"] not in devices:
            continue
        if device["quarantined"] or device["entries"] != device["head_seq"]:
            problems.append("the device's log has a gap or is set aside")
        of_device = sum(a["device"] == device["device"] for attempts in held.values() for a in attempts)
        if of_device != len(recorded):
            problems.append(f"the hub holds {of_device} attempts, the phone recorded {len(recorded)}")
    problems += [f"the hub raised an alarm: {kind}" for device in devices for kind in alarms_of(device, hub_db)]
    if audit["set_aside"]:
        problems.append("the hub set entries aside")
    parcels = {parcel_id for _, parcel_id, *_ in recorded}
    bound = [r for r in audit["ratings"] if r["parcel"] in parcels and r["bound"]]
    if len(bound) != 1:
        problems.append(f"{len(bound)} ratings are bound to the day, not one")

    if len(devices) == 1:
        log = log_of(next(iter(devices)), audit, hub_db)
        if os.environ.get("SATCHEL_GOLDEN") == "write":
            GOLDEN.write_text(log, encoding="utf-8")
        if log != GOLDEN.read_text(encoding="utf-8"):
            problems.append(f"the log is not the golden one but\n{log}")

    if problems:
        sys.exit(f"{language}: " + "; ".join(problems))
    print(f"{language}: {len(recorded)} attempts once each at the hub, {proofs} proofs whole, 1 rating bound, the log is the golden one")


main()
