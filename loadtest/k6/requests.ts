// Request number i of a run: a function of the seed and of i alone. `locust/sequence.py` is the same, to the bit.
import { filmRanks, films, Kind, plan, searches, searchRanks } from "./plan.ts";

export interface Planned {
  kind: Kind;
  method: "GET" | "POST";
  path: string;
  body?: string;
  /** Sent by somebody whose browser may hold the answer already. */
  returning: boolean;
}

/** A permutation of 32 bits in which every bit of the input changes half of the output. */
export function scramble(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

/** Draw number k of request number i: 32 bits. */
export function draw(seed: number, i: number, k: number): number {
  return scramble(scramble(scramble(seed) ^ i) ^ Math.imul(k + 1, 0x9e3779b9));
}

export function planned(i: number): Planned {
  const bits = (k: number) => draw(plan.seed, i, k);
  const chosen = plan.every_kind ? i % plan.kinds.length : plan.cuts.findIndex((cut) => bits(0) < cut);
  const kind = plan.kinds[chosen < 0 ? plan.kinds.length - 1 : chosen];
  const returning = kind !== "order" && bits(1) < plan.returning_cut;
  const get = (path: string): Planned => ({ kind, method: "GET", path, returning });
  if (kind === "search") {
    return get(`/api/films?q=${searches[searchRanks[bits(2) >>> 16]]}`);
  }
  const film = films[filmRanks[bits(2) >>> 16]];
  if (kind === "film") return get(`/api/films/${film.id}`);
  const [screening, rows, seats] = film.screenings[bits(3) % film.screenings.length];
  if (kind === "screening") return get(`/api/screenings/${screening}`);
  if (kind === "seats") return get(`/api/screenings/${screening}/seats`);
  const party = Math.min(plan.parties[bits(4) % plan.parties.length], seats);
  const row = String.fromCharCode(65 + (bits(5) % rows));
  const first = 1 + (bits(6) % (seats - party + 1));
  const taken = Array.from({ length: party }, (_, at) => `${row}${first + at}`);
  const body = JSON.stringify({ screening, seats: taken, name: "Load Lab", email: "lab@example.com" });
  return { kind, method: "POST", path: "/api/orders", body, returning };
}
