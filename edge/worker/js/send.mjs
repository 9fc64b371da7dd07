// One exchange with an origin.

import { chunks } from "./tee.mjs";

// Cloudflare looks into its own cache before it asks an origin, and stores what it may. Then a byte that was purged here
// could come back from there. `cache: "no-store"` turns that off, but also sends `Cache-Control: no-cache` and `Pragma` to
// the origin, whose own caches would be bypassed. These two are what it tells Cloudflare, without the fields.
const PAST_CLOUDFLARE_CACHE = { cacheTtl: -1, cacheLevel: "bypass" };

/**
 * Resolves once the response's head is there, to `{ response }` or `{ error, late }`. Connecting and waiting cannot be told
 * apart from here: one clock runs for both, and only while it is the origin's turn.
 */
export async function send({ method, url, headers, body, length, connect, firstByte }) {
  const controller = new AbortController();
  const clock = new Clock(connect + firstByte, controller);
  if (body instanceof ReadableStream && (method === "GET" || method === "HEAD")) {
    // The platform's fetch refuses a body here. An empty one is none.
    const reader = chunks(body);
    const { done } = await reader.read();
    if (!done) return { error: `the platform cannot send a body with ${method}`, late: false };
    body = null;
  }
  const init = {
    method,
    headers,
    redirect: "manual",
    signal: controller.signal,
    // The bytes as they came: they are stored and handed on in the origin's own coding.
    encodeResponseBody: "manual",
    cf: PAST_CLOUDFLARE_CACHE,
  };
  if (body instanceof ReadableStream) {
    init.body = upload(body, length, clock);
  } else {
    init.body = body;
    clock.run();
  }
  try {
    return { response: await fetch(url, init) };
  } catch (error) {
    return { error: String(error?.message ?? error), late: clock.ended };
  } finally {
    clock.close();
  }
}

/** Aborts when the origin has used up its time. */
class Clock {
  #timer;
  #closed = false;
  #limit;
  #controller;
  ended = false;

  constructor(limit, controller) {
    this.#limit = limit;
    this.#controller = controller;
  }

  run() {
    this.stop();
    if (this.#closed) return;
    this.#timer = setTimeout(() => {
      this.ended = true;
      this.#controller.abort();
    }, this.#limit);
  }

  stop() {
    clearTimeout(this.#timer);
  }

  close() {
    this.#closed = true;
    this.stop();
  }
}

/** Hands a client's body on in lock step. The clock stands still while the client is the one to wait for. */
function upload(source, length, clock) {
  const { readable, writable } =
    length === undefined ? new IdentityTransformStream() : new FixedLengthStream(length);
  const reader = chunks(source);
  const writer = writable.getWriter();
  const pump = async () => {
    try {
      for (let spare; ; ) {
        const { done, value } = await reader.read(spare);
        clock.run();
        if (done) break;
        await writer.write(value);
        clock.stop();
        spare = value.buffer;
      }
      await writer.close();
    } catch (error) {
      // Either side broke; the other must not take it for the end.
      writer.abort(error).catch(() => {});
      reader.cancel(error).catch(() => {});
      clock.run();
    }
  };
  pump();
  return readable;
}
