// The plan that `cargo xtask lab` made from traffic.toml, slo.toml and the catalogue: the small part, which each virtual user
// holds, and the tables, which all share.
import { SharedArray } from "k6/data";

export type Kind = "search" | "film" | "screening" | "seats" | "order" | "data";

/** Arrivals a second at the beginning and the end, and how long, in seconds. */
export type Stage = [from: number, to: number, seconds: number];

export interface Objective {
  kinds: Kind[];
  availability: number;
  latency: { percent: number; milliseconds: number }[];
}

export interface Plan {
  run: string;
  base_url: string;
  seed: number;
  /** Kinds in the order of the mix, and the draws (32 bits) below which each is chosen. */
  kinds: Kind[];
  cuts: number[];
  /** Draws below this are returning visitors'. */
  returning_cut: number;
  parties: number[];
  /** Each kind in turn instead of the mix, and whether every body is looked at. */
  every_kind: boolean;
  check_bodies: boolean;
  load:
    | { arrivals: Stage[] }
    | { count: number; clients: number }
    | { burst: number; path: string }
    | { closed: number; seconds: number };
  most_under_way: number;
  objectives: Record<string, Objective>;
  /** Objectives are thresholds of this run; those of latency, and arrivals that were dropped, only where it is judged by time too. */
  judged: boolean;
  judged_by_time: boolean;
}

/** A film with its screenings, each with the rows and the seats in its narrowest row. */
export interface Film {
  id: number;
  screenings: [id: number, rows: number, seats: number][];
}

const folder = __ENV.LAB_PLAN;
export const plan: Plan = JSON.parse(open(`${folder}/plan.json`));
const table = (name: string) => new SharedArray(name, () => JSON.parse(open(`${folder}/tables.json`))[name]);
/** Search strings by rank. */
export const searches = table("searches") as unknown as string[];
/** Films in the programme by rank. */
export const films = table("films") as unknown as Film[];
/** The rank for each of 65,536 equally likely draws. */
export const searchRanks = table("search_ranks") as unknown as number[];
export const filmRanks = table("film_ranks") as unknown as number[];
