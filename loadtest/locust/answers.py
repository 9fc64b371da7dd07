"""What a right answer is, and what the edge said about it. `k6/answers.ts` is the same."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from sequence import Planned

CACHE = re.compile(r'cache;desc="([a-z]+)"')
TIER = re.compile(r'tier;desc="([a-z0-9-]+)"')
COLLAPSED = re.compile(r";\s*collapsed")


def is_right(request: Planned, status: int) -> bool:
    """Whether the status is one that the request asks for."""
    if request.kind == "order":
        return status in (201, 409)
    return status == 200 or (request.returning and status == 304)


def fault(request: Planned, status: int, headers: Mapping[str, str], body: bytes) -> str | None:
    """What is wrong with the body, or nothing."""
    if status == 304:
        return "a 304 has a body" if body else None
    try:
        value = json.loads(body)
    except ValueError:
        return "the body is not JSON"
    parts = request.path.split("/")
    wrong: str | None = None
    if request.kind == "search":
        films = value.get("films")
        if not films or len(films) > value["per_page"]:
            wrong = "a search for a title of the catalogue finds nothing"
    elif request.kind == "film":
        if value.get("id") != int(parts[3]) or not isinstance(value.get("screenings"), list):
            wrong = "another film, or no screenings"
    elif request.kind == "screening":
        if value.get("id") != int(parts[3]) or not isinstance(value.get("rows"), list):
            wrong = "another screening, or no rows"
    elif request.kind == "seats":
        if not 0 <= value.get("available", -1) <= value.get("capacity", -1):
            wrong = "more seats free than there are"
    elif request.kind == "order":
        if status == 409:
            wrong = None if value.get("type") else "a refusal without a type"
        elif value.get("seats") != json.loads(request.body or "{}")["seats"] or not headers.get("location"):
            wrong = "other seats than ordered, or no address"
    elif not value.get("value"):
        wrong = "no value"
    return wrong


def source(headers: Mapping[str, str]) -> str:
    """Where the answer came from, in a word."""
    timing = headers.get("server-timing") or ""
    found = CACHE.search(timing)
    if not found:
        return "none"
    cache = found[1]
    if cache == "hit":
        tier = TIER.search(timing)
        return tier[1] if tier else "hit"
    if cache == "miss" and COLLAPSED.search(headers.get("cache-status") or ""):
        return "collapsed"
    return cache
