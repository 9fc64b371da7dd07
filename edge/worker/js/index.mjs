// The Worker's entry module. Only the default export: whatever else is exported by name can be called by others.

import * as hits from "./hits.mjs";
import { enter } from "./instance.mjs";
import { problem } from "./problem.mjs";

/** The whole way of a request. `read`: what has been read from the stores for it. */
async function whole(request, env, context, read) {
  const answer = enter((edge) => edge.handle(request, env, context, read?.key, read?.near, read?.far));
  // A client that leaves cancels what runs for it. Rust would not hear of that, and what it holds (a place among
  // the requests to an origin) would be held for ever. So the work goes on to its end, which fills the cache.
  if (answer instanceof Promise) context.waitUntil(answer.catch(() => {}));
  const response = await answer;
  enter((edge) => hits.remember(edge, request, env));
  return response;
}

/** A request whose answer a store may hold: they are read here, so that the instance has nothing to wait for. */
async function stored(waiting, request, env, context) {
  try {
    if (waiting.asksNear) waiting.near = await waiting.readNear();
    if (!waiting.near && env.LEVEE_KV !== undefined) waiting.far = await waiting.readFar(env);
  } catch {
    // What could not be read is as if it had not been: the whole way tries again, and counts a failure.
  }
  try {
    const answer = enter((edge) => waiting.answer(edge, env, context));
    return answer ?? (await whole(request, env, context, waiting));
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
      return answer instanceof hits.Stored ? stored(answer, request, env, context) : answer;
    } catch {
      return failed();
    }
  },

  async scheduled(event, env, context) {
    await enter((edge) => edge.scheduled(event.cron, event.scheduledTime, env, context));
  },
};
