// A client's body on its way to an origin.

import { channel, Sink, Source } from "./chunks.mjs";
import { TooSlow } from "./pace.mjs";

/** What a client may be at fault for, as `ClientFault` of `levee::platform` has it. */
const STALLED = "stalled";
const MALFORMED = "malformed";

/**
 * Waits for the first chunk: before that no origin need be asked. Resolves to `{ upload }`, to nothing where the body is empty, or to
 * `{ error, fault }` where the client is at fault. `idle` and `rate`: how slow it may be, as `Pace` takes them.
 */
export async function prime(stream, length, idle, rate) {
  const upload = new Upload(stream, length, idle, rate);
  try {
    return (await upload.begins()) ? { upload } : {};
  } catch {
    return { error: upload.why, fault: upload.fault };
  }
}

/** Hands a body on in lock step: a chunk is in memory at most. */
export class Upload {
  #source;
  #length;
  #idle;
  #first;
  #isGivenUp = false;
  /** What the client is at fault for, and how that shows. */
  fault;
  why;

  constructor(stream, length, idle, rate) {
    this.#source = new Source(stream, idle, rate);
    this.#length = length;
    this.#idle = idle;
  }

  /** Whether there is a first chunk. */
  async begins() {
    this.#first = await this.#next();
    return this.#first !== undefined;
  }

  /** Whether nothing more is to come. */
  get isWhole() {
    return this.#first?.byteLength === this.#length;
  }

  /**
   * The stream for the origin. `clock` runs only while it is the origin's turn: the client may take the time that is its own.
   * `failed` is called once the client is at fault.
   */
  stream(clock, failed) {
    const { readable, writable } = channel(this.#length);
    const sink = new Sink(writable, this.#idle, (why) => this.cancel(why));
    this.#hand(sink, clock, failed);
    return readable;
  }

  /** Whatever comes of the source afterwards is not the client's fault. */
  cancel(why) {
    this.#isGivenUp = true;
    this.#source.cancel(why);
  }

  async #hand(sink, clock, failed) {
    try {
      for (let chunk = this.#first; chunk !== undefined; ) {
        clock.run();
        await sink.write(chunk);
        clock.stop();
        chunk = await this.#next(chunk.buffer);
      }
      clock.run();
      await sink.close();
    } catch (error) {
      // Either side broke; the other must not take it for the end.
      sink.abort(error);
      this.cancel(error);
      if (this.fault !== undefined) failed();
      else clock.run();
    }
  }

  async #next(spare) {
    try {
      return await this.#source.read(spare);
    } catch (error) {
      if (!this.#isGivenUp) {
        this.fault = error instanceof TooSlow ? STALLED : MALFORMED;
        this.why = String(error?.message ?? error);
      }
      throw error;
    }
  }
}
