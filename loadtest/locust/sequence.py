"""Request number i of a run: a function of the seed and of i alone. `k6/requests.ts` is the same, to the bit."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

MASK = 0xFFFFFFFF


@dataclass(frozen=True)
class Planned:
    kind: str
    method: str
    path: str
    body: str | None
    # Sent by somebody whose browser may hold the answer already.
    returning: bool


def scramble(x: int) -> int:
    """A permutation of 32 bits in which every bit of the input changes half of the output."""
    x = ((x ^ (x >> 16)) * 0x7FEB352D) & MASK
    x = ((x ^ (x >> 15)) * 0x846CA68B) & MASK
    return x ^ (x >> 16)


def draw(seed: int, i: int, k: int) -> int:
    """Draw number k of request number i: 32 bits."""
    return scramble(scramble(scramble(seed) ^ i) ^ (((k + 1) * 0x9E3779B9) & MASK))


class Sequence:
    """The requests of a plan, by their number."""

    def __init__(self, plan: dict[str, Any], tables: dict[str, Any]) -> None:
        self.plan = plan
        self.tables = tables

    def __getitem__(self, i: int) -> Planned:
        plan, tables = self.plan, self.tables

        def bits(k: int) -> int:
            return draw(plan["seed"], i, k)

        kinds = plan["kinds"]
        if plan["every_kind"]:
            chosen = i % len(kinds)
        else:
            first = bits(0)
            chosen = next((at for at, cut in enumerate(plan["cuts"]) if first < cut), len(kinds) - 1)
        kind = kinds[chosen]
        returning = kind != "order" and bits(1) < plan["returning_cut"]
        if kind == "search":
            search = tables["searches"][tables["search_ranks"][bits(2) >> 16]]
            return Planned(kind, "GET", f"/api/films?q={search}", None, returning)
        film = tables["films"][tables["film_ranks"][bits(2) >> 16]]
        if kind == "film":
            return Planned(kind, "GET", f"/api/films/{film['id']}", None, returning)
        screenings = film["screenings"]
        screening, rows, seats = screenings[bits(3) % len(screenings)]
        if kind == "screening":
            return Planned(kind, "GET", f"/api/screenings/{screening}", None, returning)
        if kind == "seats":
            return Planned(kind, "GET", f"/api/screenings/{screening}/seats", None, returning)
        party = min(plan["parties"][bits(4) % len(plan["parties"])], seats)
        row = chr(65 + bits(5) % rows)
        begin = 1 + bits(6) % (seats - party + 1)
        taken = [f"{row}{begin + at}" for at in range(party)]
        body = {"screening": screening, "seats": taken, "name": "Load Lab", "email": "lab@example.com"}
        return Planned(kind, "POST", "/api/orders", json.dumps(body, separators=(",", ":")), returning)
