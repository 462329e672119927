"""Compares what a phone recorded with what the hub holds.

usage: check_day.py AUDIT.json RECORD.tsv LANGUAGE

RECORD has one line per parcel of an attempt: attempt, parcel, seq, entry hash, number of proofs.
"""

import json
import sys


def main():
    audit_path, record_path, language = sys.argv[1:]
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
    if audit["open_alarms"] or audit["set_aside"]:
        problems.append("the hub raised an alarm")
    parcels = {parcel_id for _, parcel_id, *_ in recorded}
    bound = [r for r in audit["ratings"] if r["parcel"] in parcels and r["bound"]]
    if len(bound) != 1:
        problems.append(f"{len(bound)} ratings are bound to the day, not one")

    if problems:
        sys.exit(f"{language}: " + "; ".join(problems))
    print(f"{language}: {len(recorded)} attempts once each at the hub, {proofs} proofs whole, 1 rating bound")


main()
