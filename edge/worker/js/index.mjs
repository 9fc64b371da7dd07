// The Worker's entry module. Only the default export: whatever else is exported by name can be called by others.

import * as hits from "./hits.mjs";
import { enter } from "./instance.mjs";
import { problem } from "./problem.mjs";

/** The whole way of a request. */
async function whole(request, env, context) {
  const answer = enter((edge) => edge.handle(request, env, context));
  if (answer instanceof Promise) {
    // A client that leaves cancels what runs for it. Rust would not hear of that, and what it holds (a place among
    // the requests to an origin) would be held for ever. So the work goes on to its end, which fills the cache.
    context.waitUntil(answer.catch(() => {}));
  } else {
    enter((edge) => hits.remember(edge, request, env));
  }
  return await answer;
}

// The instance is lost, and this request with it; why has been logged. The next one finds a new instance.
const failed = () =>
  problem("The edge failed while it answered this request. Try again: it has started afresh.");

export default {
  fetch(request, env, context) {
    try {
      return enter((edge) => hits.answer(edge, request, env)) ?? whole(request, env, context).catch(failed);
    } catch {
      return failed();
    }
  },

  async scheduled(event, env, context) {
    await enter((edge) => edge.scheduled(event.cron, event.scheduledTime, env, context));
  },
};
