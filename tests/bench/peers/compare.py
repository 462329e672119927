#!/usr/bin/env python3
"""Satchel's order search beside PyVRP, OR-Tools, pyvroom and vrp-core, on the same instances in one run.

    python3 tests/bench/peers/compare.py --instances DIR [--limit-ms 100] [--seeds 1] [--objective travel|completion]
        [--bench PATH] [--vrp-core PATH] [--only TEXT] [--floor]

Every order is judged by `walk` below, which knows nothing of any solver. A peer that is not installed is
skipped loudly; CI=true makes that a failure. Peers are installed by their package managers, for example into
an environment outside the tree:

    python3 -m venv DIR && DIR/bin/pip install pyvrp ortools pyvroom
    cargo build --release --manifest-path tests/bench/peers/vrp-core/Cargo.toml --target-dir DIR/vrp-core

With --floor the run fails when Satchel is not ahead of every peer in feasible runs, or in mean gap among
solvers that are feasible as often.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time

FAR = 1 << 40
LATE_PENALTY = 1_000


def walk(instance, order):
    """Lateness at service start, sum of legs, end of the route; None when a node is missing or twice."""
    travel, window = instance["travel"], instance["window"]
    if sorted(order) != list(range(len(window))) or order[0] != 0:
        return None
    now, late, legs = window[0][0], 0, 0
    for a, b in zip(order, order[1:]):
        legs += travel[a][b]
        now = max(now + travel[a][b], window[b][0])
        late += max(0, now - window[b][1])
    legs += travel[order[-1]][0]
    now += travel[order[-1]][0]
    if not instance["open_path"]:
        late += max(0, now - window[0][1])
    return {"lateness": late, "travel": legs, "completion": now}


def end_window(instance):
    return FAR if instance["open_path"] else instance["window"][0][1]


def with_pyvrp(instance, objective, limit_ms, seed):
    import pyvrp
    from pyvrp.stop import MaxRuntime

    travel, window, n = instance["travel"], instance["window"], len(instance["window"])
    begin, by_time = window[0][0], objective == "completion"
    model = pyvrp.Model()
    places = [model.add_location(0, 0) for _ in range(n)]
    depot = model.add_depot(places[0], tw_early=begin, tw_late=end_window(instance))
    model.add_vehicle_type(start_depot=depot, end_depot=depot, tw_early=begin, start_late=begin,
                           tw_late=end_window(instance),
                           unit_distance_cost=int(not by_time), unit_duration_cost=int(by_time))
    for node in range(1, n):
        model.add_client(places[node], tw_early=window[node][0], tw_late=window[node][1])
    for a in range(n):
        for b in range(n):
            if a != b:
                model.add_edge(places[a], places[b], distance=travel[a][b], duration=travel[a][b])
    begun = time.perf_counter()
    result = model.solve(MaxRuntime(limit_ms / 1000), seed=seed, collect_stats=False, display=False)
    wall_ms = (time.perf_counter() - begun) * 1000
    order = [0]
    for route in result.best.routes():
        order += [step.idx + 1 for step in route if step.is_client()]
    return order, wall_ms


def with_ortools(instance, objective, limit_ms, seed):
    from ortools.constraint_solver import pywrapcp, routing_enums_pb2

    travel, window, n = instance["travel"], instance["window"], len(instance["window"])
    manager = pywrapcp.RoutingIndexManager(n, 1, 0)
    routing = pywrapcp.RoutingModel(manager)
    legs = routing.RegisterTransitMatrix(travel)
    if objective == "travel":
        routing.SetArcCostEvaluatorOfAllVehicles(legs)
    horizon = max(w[1] for w in window) + sum(max(row) for row in travel)
    routing.AddDimension(legs, horizon, horizon, False, "time")
    clock = routing.GetDimensionOrDie("time")
    clock.CumulVar(routing.Start(0)).SetRange(window[0][0], window[0][0])
    # Hard windows leave it without a first solution on most instances: late costs, as for a courier.
    for node in range(1, n):
        index = manager.NodeToIndex(node)
        clock.CumulVar(index).SetMin(window[node][0])
        clock.SetCumulVarSoftUpperBound(index, window[node][1], LATE_PENALTY)
    if not instance["open_path"]:
        clock.SetCumulVarSoftUpperBound(routing.End(0), window[0][1], LATE_PENALTY)
    if objective == "completion":
        clock.SetSpanCostCoefficientForAllVehicles(1)
    routing.AddVariableMinimizedByFinalizer(clock.CumulVar(routing.End(0)))
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.first_solution_strategy = routing_enums_pb2.FirstSolutionStrategy.PATH_CHEAPEST_ARC
    parameters.local_search_metaheuristic = routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    parameters.time_limit.FromMilliseconds(limit_ms)
    begun = time.perf_counter()
    solution = routing.SolveWithParameters(parameters)
    wall_ms = (time.perf_counter() - begun) * 1000
    order = []
    if solution:
        index = routing.Start(0)
        while not routing.IsEnd(index):
            order.append(manager.IndexToNode(index))
            index = solution.Value(routing.NextVar(index))
    return order, wall_ms


def with_vroom(instance, objective, limit_ms, seed):
    import datetime

    import numpy
    import vroom

    if objective == "completion":
        return None
    window, n = instance["window"], len(instance["window"])
    model = vroom.Input()
    model.set_durations_matrix("car", numpy.array(instance["travel"], dtype=numpy.uint32))
    far = (1 << 31) - 1
    end = min(end_window(instance), far)
    model.add_vehicle(vroom.Vehicle(1, start=0, end=0, time_window=vroom.TimeWindow(window[0][0], end)))
    for node in range(1, n):
        model.add_job(vroom.Job(node, node, time_windows=[vroom.TimeWindow(*window[node])]))
    begun = time.perf_counter()
    limit = datetime.timedelta(milliseconds=limit_ms)
    solution = model.solve(exploration_level=5, nb_threads=1, timeout=limit)
    wall_ms = (time.perf_counter() - begun) * 1000
    steps = solution.routes
    order = [0] + [int(job) for kind, job in zip(steps["type"], steps["id"]) if kind == "job"]
    return order, wall_ms


def lines(command):
    out = subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True).stdout
    # vrp-core talks on standard output, whatever logger it is given.
    return [json.loads(line) for line in out.splitlines() if line.startswith("{")]


def with_binary(program):
    def run(instance, objective, limit_ms, seed):
        [line] = lines([program, objective, limit_ms, instance["file"]])
        return line["order"], line["wall_ms"]
    return run


def satchel_runs(args):
    """All of Satchel's runs in one process, as the bench prints them."""
    printed = lines([args.bench, "route", "--instances", args.instances, "--limit-ms", args.limit_ms, "--seeds",
                     args.seeds, "--objective", args.objective, "--only", args.only, "--json"])
    return {(line["instance"], line["seed"]): (line["order"], line["wall_ms"]) for line in printed}


def peers(args):
    """(name, function) of every peer that is installed; the others are named."""
    found, missing = [], []
    for name, module, function in (("PyVRP", "pyvrp", with_pyvrp), ("OR-Tools", "ortools", with_ortools),
                                   ("VROOM", "vroom", with_vroom)):
        try:
            __import__(module)
            found.append((name, function))
        except ImportError:
            missing.append(name)
    if args.vrp_core and pathlib.Path(args.vrp_core).exists():
        found.append(("vrp-core", with_binary(args.vrp_core)))
    else:
        missing.append("vrp-core")
    for name in missing:
        print(f"SKIPPED {name}: not installed", file=sys.stderr)
    if missing and os.environ.get("CI") == "true":
        sys.exit("with CI=true nothing may be skipped")
    return found


def row(name, runs, objective):
    """One line of the table: share of runs on time, and how far above the best known those are."""
    key = {"travel": "travel", "completion": "completion"}[objective]
    on_time = [(i, r) for i, r, _ in runs if r and r["lateness"] <= i["best"]["lateness"]]
    gaps = sorted((r[key] - i["best"]["value"]) * 100 / i["best"]["value"] for i, r in on_time)
    walls = sorted(wall for _, _, wall in runs)
    share = len(on_time) * 100 / len(runs)
    at = lambda q: gaps[min(len(gaps) - 1, int(q * len(gaps)))] if gaps else float("nan")
    mean = statistics.fmean(gaps) if gaps else float("nan")
    print(f"{name:10} {len(runs):5} {share:8.1f} {at(0.5):8.2f} {mean:8.2f} {at(0.9):8.2f} {walls[len(walls) // 2]:9.0f}")
    return share, mean


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--instances", required=True)
    parser.add_argument("--limit-ms", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--objective", choices=("travel", "completion"), default="travel")
    parser.add_argument("--bench", default="target/release/satchel-bench")
    parser.add_argument("--vrp-core")
    parser.add_argument("--only", default="")
    parser.add_argument("--floor", action="store_true")
    args = parser.parse_args()
    instances = []
    for file in sorted(pathlib.Path(args.instances).glob("*.json")):
        if args.only not in file.stem:
            continue
        instance = json.loads(file.read_text())
        name = {"travel": "travel_time", "completion": "completion"}[args.objective]
        best = instance.get("reference", {}).get(name)
        if best:
            instances.append(instance | {"file": str(file), "best": best})
    mine = satchel_runs(args)
    kinds = sorted({instance["kind"] for instance in instances})
    solvers = peers(args)
    results = {}
    for instance in instances:
        for seed in range(1, args.seeds + 1):
            runs = [("Satchel", mine[instance["name"], seed])]
            runs += [(name, solve(instance, args.objective, args.limit_ms, seed)) for name, solve in solvers]
            for name, run in runs:
                if run:
                    order, wall_ms = run
                    results.setdefault((instance["kind"], name), []).append((instance, walk(instance, order), wall_ms))
    ahead = True
    for kind in kinds:
        print(f"\n{kind}, {args.objective}, {args.limit_ms} ms: feasible or no later than the best known; gap of those, %")
        print(f"{'solver':10} {'runs':>5} {'on time':>8} {'median':>8} {'mean':>8} {'p90':>8} {'wall ms':>9}")
        table = {name: row(name, runs, args.objective) for (of, name), runs in results.items() if of == kind}
        share, mean = table.pop("Satchel")
        ahead &= all(share > s or (share == s and (not m < mean)) for s, m in table.values())
    if args.floor and not ahead:
        sys.exit("a peer is ahead")


if __name__ == "__main__":
    main()
