"""The one locust program: what it sends and how is in the plan. Started by `cargo xtask lab … --tool locust`.

locust knows users that wait, not arrivals. So its one user does nothing but let requests begin when they are due, each in a
greenlet of its own: a slow answer holds nobody up, as on the open internet.
"""

from __future__ import annotations

import itertools
import json
import logging
import math
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import gevent
from gevent.pool import Pool
from locust import FastHttpUser, events, task

from answers import fault, is_right, source
from sequence import Planned, Sequence

FOLDER = Path(os.environ["LAB_PLAN"])
PLAN: dict[str, Any] = json.loads((FOLDER / "plan.json").read_text())
SEQUENCE = Sequence(PLAN, json.loads((FOLDER / "tables.json").read_text()))
LOAD = PLAN["load"]
JOURNEY = {kind: name for name, objective in PLAN["objectives"].items() for kind in objective["kinds"]}
# An arrival that begins later than this after it was due is one that this generator dropped.
LATE = 1.0


def due(stages: list[list[float]]) -> Iterator[float]:
    """When each arrival is due, in seconds since the start: the times at which the rate's integral passes a whole number."""
    begun, sent = 0.0, 0.0
    for start, end, seconds in stages:
        slope = (end - start) / seconds if seconds else 0.0
        total = (start + end) / 2 * seconds
        number = math.floor(sent) + 1
        while number <= sent + total:
            need = number - sent
            if abs(slope) < 1e-12:
                yield begun + need / start
            else:
                yield begun + (math.sqrt(max(start * start + 2 * slope * need, 0.0)) - start) / slope
            number += 1
        sent += total
        begun += seconds


class Arrivals(FastHttpUser):
    """Lets requests begin when they are due."""

    host = PLAN["base_url"]
    concurrency = PLAN["most_under_way"] + 10
    connection_timeout = 30.0
    network_timeout = 30.0
    max_retries = 0
    max_redirects = 0

    @task
    def run_plan(self) -> None:
        self.log = (FOLDER / "requests.csv").open("w", buffering=1 << 16)
        self.right: dict[str, list[int]] = {}
        self.took: dict[str, list[float]] = {}
        self.dropped = 0
        self.seen: dict[str, str] = {}
        self.errors = 0
        pool = Pool(PLAN["most_under_way"])
        began = time.perf_counter()
        if "burst" in LOAD:
            for i in range(LOAD["burst"]):
                pool.spawn(self.send, i, Planned("data", "GET", LOAD["path"], None, False))
        elif "count" in LOAD:
            for lane in range(LOAD["clients"]):
                pool.spawn(self.lane, range(lane, LOAD["count"], LOAD["clients"]), math.inf)
        elif "closed" in LOAD:
            until = began + LOAD["seconds"]
            for lane in range(LOAD["closed"]):
                pool.spawn(self.lane, itertools.count(lane, LOAD["closed"]), until)
        else:
            for i, at in enumerate(due(LOAD["arrivals"])):
                wait = began + at - time.perf_counter()
                if wait > 0:
                    gevent.sleep(wait)
                if (wait < -LATE and PLAN["judged_by_time"]) or pool.full():
                    self.dropped += 1
                else:
                    pool.spawn(self.send, i, SEQUENCE[i])
                if i % 50 == 0:
                    self.log.flush()
        pool.join(timeout=600 if "count" in LOAD else 60)
        self.log.close()
        self.judge(time.perf_counter() - began)
        self.environment.runner.quit()

    def lane(self, numbers: Iterable[int], until: float) -> None:
        """One client of a closed workload: the next request when the one before is answered."""
        for i in numbers:
            if time.perf_counter() >= until:
                return
            self.send(i, SEQUENCE[i])

    def send(self, i: int, wanted: Planned) -> None:
        headers = {}
        if wanted.kind == "order":
            headers["Content-Type"] = "application/json"
            headers["Idempotency-Key"] = f"{PLAN['run']}-{i}"
        validator = self.seen.get(wanted.path) if wanted.returning else None
        if validator is not None:
            headers["If-None-Match"] = validator
        wall, clock = time.time(), time.perf_counter()
        # Ended by hand, so that locust counts as right what is right.
        with self.client.request(
            wanted.method, wanted.path, name=wanted.kind, data=wanted.body, headers=headers, catch_response=True
        ) as answer:
            took = (time.perf_counter() - clock) * 1000
            status = answer.status_code or 0
            got = answer.headers or {}
            ok = is_right(wanted, status)
            why = f"{status}" if not ok else None
            if ok and PLAN["check_bodies"]:
                why = fault(wanted, status, got, answer.content or b"")
                ok = why is None
                if why is not None:
                    logging.error("%s %s: %s", wanted.method, wanted.path, why)
            if ok:
                answer.success()
            else:
                answer.failure(why)
        tag = got.get("etag")
        if tag and wanted.kind != "order":
            self.seen[wanted.path] = tag
        journey = JOURNEY[wanted.kind]
        self.right.setdefault(journey, []).append(ok)
        self.took.setdefault(journey, []).append(took)
        self.log.write(f"{int(wall * 1000)},{wanted.kind},{status},{round(took * 10)},{int(ok)},{source(got)}\n")

    def judge(self, seconds: float) -> None:
        """Compares what was seen with the objectives, writes both down, and sets the exit code."""
        thresholds: list[dict[str, Any]] = []
        if PLAN["judged_by_time"]:
            held = self.dropped == 0
            thresholds.append({"name": "dropped_arrivals", "wanted": 0, "reached": self.dropped, "held": held})
        for journey, objective in PLAN["objectives"].items():
            right, took = self.right.get(journey, []), sorted(self.took.get(journey, []))
            if not right:
                continue
            share = sum(right) / len(right)
            wanted = objective["availability"]
            thresholds.append(
                {"name": f"{journey}.availability", "wanted": wanted, "reached": share, "held": share >= wanted}
            )
            for limit in objective["latency"] if PLAN["judged_by_time"] else []:
                reached = took[max(0, math.ceil(limit["percent"] / 100 * len(took)) - 1)]
                thresholds.append(
                    {
                        "name": f"{journey}.p{limit['percent']}_ms",
                        "wanted": limit["milliseconds"],
                        "reached": reached,
                        "held": reached <= limit["milliseconds"],
                    }
                )
        summary = {
            "seconds": seconds,
            "requests": sum(map(len, self.right.values())),
            "dropped_arrivals": self.dropped,
            "thresholds": thresholds if PLAN["judged"] else [],
        }
        (FOLDER / "summary.json").write_text(json.dumps(summary))
        held = not PLAN["judged"] or all(threshold["held"] for threshold in thresholds)
        self.environment.process_exit_code = 0 if held else 99


@events.init.add_listener
def without_statistics(environment: Any, **_: Any) -> None:
    """locust's own table of every request is not asked for: the log of requests says more."""
    environment.stats.use_response_times_cache = False
