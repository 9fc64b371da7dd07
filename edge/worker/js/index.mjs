// The Worker's entry module. Only the default export: whatever else is exported by name can be called by others.

import { enter } from "./instance.mjs";
import { problem } from "./problem.mjs";

export default {
  async fetch(request, env, context) {
    try {
      const answer = enter((edge) => edge.handle(request, env, context));
      // A client that leaves cancels what runs for it. Rust would not hear of that, and what it holds (a place among
      // the requests to an origin) would be held for ever. So the work goes on to its end, which fills the cache.
      if (answer instanceof Promise) context.waitUntil(answer.catch(() => {}));
      return await answer;
    } catch {
      // The instance is lost, and this request with it; why has been logged. The next one finds a new instance.
      return problem("The edge failed while it answered this request. Try again: it has started afresh.");
    }
  },

  async scheduled(event, env, context) {
    await enter((edge) => edge.scheduled(event.cron, event.scheduledTime, env, context));
  },
};
