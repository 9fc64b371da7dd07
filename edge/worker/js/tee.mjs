// Splits a body between the client and a capture with a bound.

import { channel, Sink, Source } from "./chunks.mjs";
import { Held } from "./held.mjs";
import { relay } from "./relay.mjs";

/** A chunk that the client and the capture hold, or one of them. Once neither does it is not counted any more. */
class Chunk {
  #holders;
  #held;

  constructor(bytes, held, holders) {
    this.bytes = bytes;
    this.#held = held;
    this.#holders = holders;
  }

  release() {
    this.#holders -= 1;
    if (this.#holders === 0) this.#held.remove(this.bytes.byteLength);
  }
}

/** The chunk as it may be kept: without more buffer than it fills. */
const keepable = (bytes) => (bytes.byteLength < bytes.buffer.byteLength ? bytes.slice() : bytes);

/** What has been read so far, up to a limit in bytes, and within what the isolate has. */
class Kept {
  #chunks = [];
  #size = 0;
  #limit;
  #held;

  constructor(limit, held) {
    this.#limit = limit;
    this.#held = held;
  }

  /** Whether a body of this length will fit, as far as that is known. */
  fits(length) {
    return length === undefined || (length <= this.#limit && this.#held.reserve(length, this.#limit));
  }

  /** The chunk, held by as many, or undefined where it does not fit. */
  add(bytes, holders) {
    this.#size += bytes.byteLength;
    if (this.#size > this.#limit || !this.#held.add(bytes.byteLength, this.#limit)) return undefined;
    const chunk = new Chunk(bytes, this.#held, holders);
    this.#chunks.push(chunk);
    return chunk;
  }

  /** All of it. Of a stream of known length nothing may be missing. */
  join(length) {
    if (length !== undefined && this.#size !== length) {
      throw new Error(`${this.#size} bytes came where ${length} were announced`);
    }
    if (this.#chunks.length === 1) return this.#chunks[0].bytes;
    const whole = new Uint8Array(this.#size);
    let at = 0;
    for (const { bytes } of this.#chunks) {
      whole.set(bytes, at);
      at += bytes.byteLength;
    }
    return whole;
  }

  release() {
    for (const chunk of this.#chunks) chunk.release();
    this.#chunks = [];
    this.#held.settle();
  }
}

/** The client's half: writes what it has not read yet, a chunk at a time, so that one that does not read is seen. */
class Client {
  #sink;
  #unread = [];
  #ended = false;
  #wake = () => {};
  gone = false;

  /** `idle`: how long it may not read, in milliseconds. */
  constructor(writable, idle) {
    this.#sink = new Sink(writable, idle, () => this.#leave());
    /** Resolves once it has read everything before `end`, or has gone. */
    this.done = this.#write();
  }

  push(chunk) {
    if (this.gone) return chunk.release();
    this.#unread.push(chunk);
    this.#wake();
  }

  /** Nothing more is pushed. */
  end() {
    this.#ended = true;
    this.#wake();
  }

  breakOff(why) {
    this.#sink.abort(why);
    this.#leave();
  }

  async close() {
    await this.done;
    if (!this.gone) await this.#sink.close().catch(() => {});
  }

  /** Lets another write. */
  release() {
    this.#sink.release();
  }

  #leave() {
    this.gone = true;
    for (const chunk of this.#unread) chunk.release();
    this.#unread = [];
    this.#wake();
  }

  async #write() {
    while (!this.gone) {
      const [chunk] = this.#unread;
      if (chunk === undefined) {
        if (this.#ended) return;
        await new Promise((wake) => (this.#wake = wake));
        continue;
      }
      try {
        await this.#sink.write(chunk.bytes);
      } catch (error) {
        // Also where more came than was announced.
        this.breakOff(error);
      }
      this.#unread.shift()?.release();
    }
  }
}

/**
 * Returns what is handed on, and a promise of all the bytes: `null` once they are more than `limit` or than the isolate has,
 * a rejection when the source breaks or is too slow.
 *
 * Up to the limit the source is read at its own pace, because the capture holds the bytes anyway, and the client reads
 * the same chunks behind. Past it nothing is held: the source goes at the client's pace.
 */
export function tee(stream, limit, length, idle, rate) {
  const { readable, writable } = channel(length);
  const held = new Held(idle);
  const client = new Client(writable, idle);
  const captured = capture(stream, { writable, client, held, limit, length, idle, rate });
  Promise.allSettled([captured, client.done]).then(() => held.end());
  return { body: readable, captured };
}

async function capture(stream, { writable, client, held, limit, length, idle, rate }) {
  const source = new Source(stream, idle, rate);
  const kept = new Kept(limit, held);
  try {
    if (!kept.fits(length)) {
      handOver(stream, source, writable, client, idle);
      return null;
    }
    for (let bytes; (bytes = await source.read()) !== undefined; ) {
      bytes = keepable(bytes);
      const chunk = kept.add(bytes, 2);
      client.push(chunk ?? new Chunk(bytes, held, Infinity));
      if (chunk === undefined) {
        // The capture is over; its promise must not wait for the rest.
        handOver(stream, source, writable, client, idle);
        return null;
      }
    }
    const whole = kept.join(length);
    client.end();
    client.close();
    return whole;
  } catch (error) {
    client.breakOff(error);
    throw error;
  } finally {
    kept.release();
  }
}

/** The rest goes to the client alone. */
async function handOver(stream, source, writable, client, idle) {
  client.end();
  await client.done;
  if (client.gone) return source.cancel("the client has gone");
  source.release();
  client.release();
  await relay(stream, writable, idle);
}

/** All bytes of a stream that nobody else reads; `null` when they are more than `limit` or than the isolate has. */
export async function collect(stream, limit, length, idle, rate) {
  const source = new Source(stream, idle, rate);
  const held = new Held(idle);
  const kept = new Kept(limit, held);
  try {
    let fits = kept.fits(length);
    for (let bytes; fits && (bytes = await source.read()) !== undefined; ) {
      fits = kept.add(keepable(bytes), 1) !== undefined;
    }
    if (fits) return kept.join(length);
    source.cancel("larger than what is wanted");
    return null;
  } finally {
    held.end();
  }
}
