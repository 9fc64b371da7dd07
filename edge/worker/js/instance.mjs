// The life of the wasm instance: it is made, entered, lost to a trap, and made again.
//
// A panic, an exhausted memory or stack ends the instance: its state can no longer be trusted, and work under way in it never
// settles. So the loss rejects every promise that waits for the instance, and the next one to enter gets a new one.

import config from "./levee.bin";
import * as edge from "./pkg/levee.js";
import module from "./pkg/levee_bg.wasm";

import { reset } from "./hits.mjs";
import { host } from "./host.mjs";

/** What entered the instance and has not come back yet, as functions that reject it. */
const waiting = new Set();
let loaded = false;
let alive = false;

/** Makes the instance, where there is none. Never called from within one. */
function revive() {
  if (alive) return;
  reset();
  if (loaded) edge.__wbg_reset_state();
  else edge.initSync({ module });
  loaded = true;
  edge.boot({ ...host, died, waitUntil }, config ? new Uint8Array(config) : undefined);
  alive = true;
}

/** Marks the instance as lost. What waited for it fails, also in other requests. */
function died(reason) {
  if (!alive) return;
  alive = false;
  console.error(`levee: the instance is lost and will be replaced: ${reason}`);
  const lost = new Error(reason);
  for (const reject of waiting) reject(lost);
  waiting.clear();
}

/** The promise, or a rejection once the instance is lost: then the promise would never settle. */
function survive(promise) {
  return new Promise((resolve, reject) => {
    waiting.add(reject);
    const left = (settle) => (value) => {
      waiting.delete(reject);
      settle(value);
    };
    promise.then(left(resolve), left(reject));
  });
}

/** Calls into the instance. Whatever it throws is the end of the instance: Rust hands errors over as values. */
export function enter(call) {
  revive();
  let result;
  try {
    result = call(edge);
  } catch (error) {
    died(String(error));
    throw error;
  }
  return result instanceof Promise ? survive(result) : result;
}

/** Keeps the request's work going after the response. It has failed by itself if the instance is lost. */
function waitUntil(context, promise) {
  context.waitUntil(survive(promise).catch(() => {}));
}

// A panic reports itself. An exhausted memory or stack, met in work that goes on by itself, is only seen here.
addEventListener("error", ({ error }) => {
  if (error instanceof WebAssembly.RuntimeError || error instanceof RangeError) died(String(error));
});

try {
  // At start-up rather than in the first request, which would wait for it.
  revive();
} catch (error) {
  console.error(`levee: the edge does not start: ${error}`);
}
