// What a right answer is, and what the edge said about it.
import { Planned } from "./requests.ts";

interface Answer {
  status: number;
  body: string | null;
  headers: Record<string, string>;
}

/** Whether the status is one that the request asks for. */
export function isRight(request: Planned, status: number): boolean {
  if (request.kind === "order") return status === 201 || status === 409;
  return status === 200 || (request.returning && status === 304);
}

/** What is wrong with the body, or nothing. */
export function fault(request: Planned, answer: Answer): string | undefined {
  if (answer.status === 304) return answer.body ? "a 304 has a body" : undefined;
  let value: any;
  try {
    value = JSON.parse(answer.body ?? "");
  } catch {
    return "the body is not JSON";
  }
  const id = Number(request.path.split("/")[3]);
  switch (request.kind) {
    case "search":
      return Array.isArray(value.films) && value.films.length > 0 && value.films.length <= value.per_page
        ? undefined
        : "a search for a title of the catalogue finds nothing";
    case "film":
      return value.id === id && Array.isArray(value.screenings) ? undefined : "another film, or no screenings";
    case "screening":
      return value.id === id && Array.isArray(value.rows) ? undefined : "another screening, or no rows";
    case "seats":
      return value.available >= 0 && value.available <= value.capacity ? undefined : "more seats free than there are";
    case "order":
      if (answer.status === 409) return value.type ? undefined : "a refusal without a type";
      return value.seats.join() === JSON.parse(request.body as string).seats.join() && answer.headers.Location
        ? undefined
        : "other seats than ordered, or no address";
    default:
      return value.value ? undefined : "no value";
  }
}

/** Where the answer came from, in a word: `memory`, `kv`, `sqlite` (hits by tier), `stale`, `revalidated`, `collapsed`, `miss`, `pass`. */
export function source(headers: Record<string, string>): string {
  const timing = headers["Server-Timing"] ?? "";
  const cache = /cache;desc="([a-z]+)"/.exec(timing)?.[1];
  if (cache === undefined) return "none";
  if (cache === "hit") return /tier;desc="([a-z0-9-]+)"/.exec(timing)?.[1] ?? "hit";
  if (cache === "miss" && /;\s*collapsed/.test(headers["Cache-Status"] ?? "")) return "collapsed";
  return cache;
}
