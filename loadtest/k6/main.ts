// The one k6 program: what it sends and how is in the plan. Started by `cargo xtask lab … --tool k6`.
import exec from "k6/execution";
import http from "k6/http";
import { Rate } from "k6/metrics";
import { fault, isRight, source } from "./answers.ts";
import { Kind, plan } from "./plan.ts";
import { Planned, planned } from "./requests.ts";

const right = new Rate("right");
const journeyOf = {} as Record<Kind, string>;
for (const [journey, { kinds }] of Object.entries(plan.objectives)) {
  for (const kind of kinds) journeyOf[kind] = journey;
}

function scenario(): object {
  const load = plan.load;
  if ("burst" in load) {
    return { executor: "per-vu-iterations", vus: load.burst, iterations: 1, maxDuration: "60s" };
  }
  if ("count" in load) {
    return { executor: "shared-iterations", vus: load.clients, iterations: load.count, maxDuration: "10m" };
  }
  if ("closed" in load) {
    return { executor: "constant-vus", vus: load.closed, duration: `${load.seconds}s`, gracefulStop: "5s" };
  }
  const stages = [];
  for (const [from, to, seconds] of load.arrivals) {
    if (stages.length > 0) stages.push({ target: Math.round(from), duration: "0s" });
    stages.push({ target: Math.round(to), duration: `${seconds}s` });
  }
  return {
    executor: "ramping-arrival-rate",
    startRate: Math.round(load.arrivals[0][0]),
    timeUnit: "1s",
    preAllocatedVUs: plan.most_under_way,
    maxVUs: plan.most_under_way,
    stages,
    gracefulStop: "30s",
  };
}

function thresholds(): Record<string, string[]> {
  if (!plan.judged) return {};
  const made: Record<string, string[]> = {};
  if (plan.judged_by_time) made.dropped_iterations = ["count==0"];
  for (const [journey, objective] of Object.entries(plan.objectives)) {
    made[`right{journey:${journey}}`] = [`rate>=${objective.availability}`];
    if (!plan.judged_by_time) continue;
    made[`http_req_duration{journey:${journey}}`] = objective.latency.map(
      ({ percent, milliseconds }) => `p(${percent})<=${milliseconds}`,
    );
  }
  return made;
}

export const options = {
  scenarios: { lab: scenario() },
  thresholds: thresholds(),
  discardResponseBodies: !plan.check_bodies,
  noCookiesReset: true,
  summaryTrendStats: ["count", "avg", "min", "med", "p(95)", "p(99)", "max"],
  systemTags: ["status", "scenario"],
};

/** What this virtual user's browser holds: the validator of each answer. */
const seen = new Map<string, string>();

function request(i: number): Planned {
  if ("burst" in plan.load) return { kind: "data", method: "GET", path: plan.load.path, returning: false };
  return planned(i);
}

export default function (): void {
  const i = exec.scenario.iterationInTest;
  const wanted = request(i);
  const headers: Record<string, string> = {};
  if (wanted.kind === "order") {
    headers["Content-Type"] = "application/json";
    headers["Idempotency-Key"] = `${plan.run}-${i}`;
  }
  const validator = wanted.returning ? seen.get(wanted.path) : undefined;
  if (validator !== undefined) headers["If-None-Match"] = validator;
  const journey = journeyOf[wanted.kind];
  const began = Date.now();
  const answer = http.request(wanted.method, plan.base_url + wanted.path, wanted.body ?? null, {
    headers,
    tags: { journey },
    timeout: "30s",
  });
  let ok = isRight(wanted, answer.status);
  if (ok && plan.check_bodies) {
    const why = fault(wanted, answer as any);
    if (why !== undefined) {
      ok = false;
      console.error(`${wanted.method} ${wanted.path}: ${why}`);
    }
  }
  right.add(ok, { journey });
  if (answer.headers.Etag !== undefined && wanted.kind !== "order") seen.set(wanted.path, answer.headers.Etag);
  const tenths = Math.round(answer.timings.duration * 10);
  console.log(`${began},${wanted.kind},${answer.status},${tenths},${ok ? 1 : 0},${source(answer.headers)}`);
}

export function handleSummary(data: object): Record<string, string> {
  return { [`${__ENV.LAB_PLAN}/summary.json`]: JSON.stringify(data) };
}
