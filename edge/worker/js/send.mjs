// One exchange with an origin.

import { prime, Upload } from "./upload.mjs";

// Cloudflare looks into its own cache before it asks an origin, and stores what it may. Then a byte that was purged here
// could come back from there. `cache: "no-store"` turns that off, but also sends `Cache-Control: no-cache` and `Pragma` to
// the origin, whose own caches would be bypassed. These two are what it tells Cloudflare, without the fields.
const PAST_CLOUDFLARE_CACHE = { cacheTtl: -1, cacheLevel: "bypass" };

/** The platform's `fetch` takes no body with these. */
const BODILESS = new Set(["GET", "HEAD"]);

/**
 * Resolves once the response's head is there, to `{ response }`, `{ error, late }`, or `{ error, fault }` where the client is to
 * blame. Connecting and waiting cannot be told apart from here: one clock runs for both, and only while it is the origin's
 * turn. `body`: null, bytes, a stream, or an `Upload`. Times are in milliseconds, `rate` in bytes a second.
 */
export async function send({ method, url, headers, body, length, connect, firstByte, idle, rate }) {
  if (body instanceof ReadableStream) {
    const primed = await prime(body, length, idle, rate);
    if (primed.fault !== undefined) return primed;
    // An empty body is none.
    body = primed.upload ?? null;
  }
  const upload = body instanceof Upload ? body : undefined;
  if (upload !== undefined && BODILESS.has(method)) {
    upload.cancel("it cannot be sent");
    return { error: `Cloudflare Workers cannot send content with ${method}`, fault: "unsupported" };
  }
  const controller = new AbortController();
  const clock = new Clock(connect + firstByte, controller);
  // Once the head is there, the response may well go on without the rest of the request.
  if (upload !== undefined) body = upload.stream(clock, () => clock.isClosed || controller.abort());
  else clock.run();
  try {
    const response = await fetch(url, {
      method,
      headers,
      body,
      redirect: "manual",
      signal: controller.signal,
      // The bytes as they came: they are stored and handed on in the origin's own coding.
      encodeResponseBody: "manual",
      cf: PAST_CLOUDFLARE_CACHE,
    });
    return { response };
  } catch (error) {
    if (upload?.fault !== undefined) return { error: upload.why, fault: upload.fault };
    upload?.cancel(error);
    return { error: String(error?.message ?? error), late: clock.ended };
  } finally {
    clock.close();
  }
}

/** Aborts when the origin has used up its time. */
class Clock {
  #timer;
  #limit;
  #controller;
  isClosed = false;
  ended = false;

  constructor(limit, controller) {
    this.#limit = limit;
    this.#controller = controller;
  }

  run() {
    this.stop();
    if (this.isClosed) return;
    this.#timer = setTimeout(() => {
      this.ended = true;
      this.#controller.abort();
    }, this.#limit);
  }

  stop() {
    clearTimeout(this.#timer);
  }

  close() {
    this.isClosed = true;
    this.stop();
  }
}
