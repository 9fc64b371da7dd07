// Streams of the platform, chunk by chunk, and no slower than they may be.

import { Pace } from "./pace.mjs";

/** Large reads keep the crossings between runtime and script few. In bytes. */
const CHUNK = 64 * 1024;

/** A stream to write to, and what is read of it. Of a known length: the runtime breaks off a body of any other. */
export function channel(length) {
  return length === undefined ? new IdentityTransformStream() : new FixedLengthStream(length);
}

/** What is read. */
export class Source {
  #reader;
  #read;
  #pace;
  /** Set once it was too slow. */
  #late;

  /** `idle` and `rate`: as `Pace` takes them. */
  constructor(stream, idle, rate) {
    try {
      this.#reader = stream.getReader({ mode: "byob" });
      this.#read = (spare) => this.#reader.read(new Uint8Array(spare?.byteLength === CHUNK ? spare : CHUNK));
    } catch {
      // A stream made by a script that does not offer to fill buffers.
      this.#reader = stream.getReader();
      this.#read = () => this.#reader.read();
    }
    this.#pace = new Pace(idle, rate, (late) => {
      this.#late = late;
      this.cancel(late);
    });
  }

  /** The next chunk, or undefined at the end; `spare` is a buffer that is not needed any more. */
  async read(spare) {
    let read;
    try {
      read = await this.#pace.over(this.#read(spare));
    } catch (error) {
      // What a read that is cancelled fails with is the runtime's copy of the reason.
      throw this.#late ?? error;
    }
    if (this.#late !== undefined) throw this.#late;
    if (read.done) {
      this.#pace.stop();
      return undefined;
    }
    this.#pace.add(read.value.byteLength);
    return read.value;
  }

  /** Gives the source up, and with it what it holds, such as a connection. A read that waits fails with `why`. */
  cancel(why) {
    this.#pace.stop();
    this.#reader.cancel(why).catch(() => {});
  }

  /** The stream is another's to read. */
  release() {
    this.#pace.stop();
    this.#reader.releaseLock();
  }
}

/** What is written to. */
export class Sink {
  #writer;
  #pace;

  /** `idle`: how long it may not read, in milliseconds. `gone` is called, perhaps twice, once nobody reads it any more. */
  constructor(writable, idle, gone) {
    this.#writer = writable.getWriter();
    this.#pace = new Pace(idle, 0, (late) => this.abort(late));
    this.#writer.closed.catch(gone);
  }

  /** Resolves once the chunk has been read, so that its buffer is free. */
  async write(chunk) {
    await this.#pace.over(this.#writer.write(chunk));
  }

  /** Resolves once all has been read. */
  async close() {
    await this.#pace.over(this.#writer.close());
    this.#pace.stop();
  }

  /** Never a clean end: the reader must see that something is missing. */
  abort(why) {
    this.#pace.stop();
    this.#writer.abort(why).catch(() => {});
  }

  /** The stream is another's to write. */
  release() {
    this.#pace.stop();
    this.#writer.releaseLock();
  }
}
