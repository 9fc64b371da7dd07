// The Worker's entry module. Only the default export: whatever else is exported by name can be called by others.

import * as hits from "./hits.mjs";
import { enter } from "./instance.mjs";
import { problem } from "./problem.mjs";

/** The whole way of a request. `key` and `value`: what has been read from KV for it. */
async function whole(request, env, context, key, value) {
  const answer = enter((edge) => edge.handle(request, env, context, key, value));
  // A client that leaves cancels what runs for it. Rust would not hear of that, and what it holds (a place among
  // the requests to an origin) would be held for ever. So the work goes on to its end, which fills the cache.
  if (answer instanceof Promise) context.waitUntil(answer.catch(() => {}));
  const response = await answer;
  enter((edge) => hits.remember(edge, request, env));
  return response;
}

/** A request whose answer KV may hold: it is read here, so that the instance has nothing to wait for. */
async function far(waiting, request, env, context) {
  let key = waiting.key;
  let value = null;
  try {
    value = await env.LEVEE_KV.get(key, "arrayBuffer");
  } catch {
    // As if it had not been read: the whole way tries again, and counts a failure.
    key = undefined;
  }
  try {
    const answer = value === null ? undefined : enter((edge) => waiting.answer(edge, value));
    return answer ?? (await whole(request, env, context, key, value));
  } catch {
    return failed();
  }
}

// The instance is lost, and this request with it; why has been logged. The next one finds a new instance.
const failed = () =>
  problem("The edge failed while it answered this request. Try again: it has started afresh.");

export default {
  fetch(request, env, context) {
    try {
      const answer = enter((edge) => hits.answer(edge, request, env));
      if (answer === undefined) return whole(request, env, context).catch(failed);
      return answer instanceof hits.Far ? far(answer, request, env, context) : answer;
    } catch {
      return failed();
    }
  },

  async scheduled(event, env, context) {
    await enter((edge) => edge.scheduled(event.cron, event.scheduledTime, env, context));
  },
};
