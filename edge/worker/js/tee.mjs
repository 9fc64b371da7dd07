// Splits a body between the client and a capture with a bound.

/** Large reads keep the crossings between runtime and script few. */
const CHUNK = 64 * 1024;

/** Reads a stream chunk by chunk, into a buffer that is not needed any more where there is one. */
export function chunks(stream) {
  let reader;
  let read;
  try {
    reader = stream.getReader({ mode: "byob" });
    read = (spare) => reader.read(new Uint8Array(spare?.byteLength === CHUNK ? spare : CHUNK));
  } catch {
    // A stream made by a script that does not offer to fill buffers.
    reader = stream.getReader();
    read = () => reader.read();
  }
  return { read, cancel: (why) => reader.cancel(why), release: () => reader.releaseLock() };
}

/** The chunk as it may be kept: a small one must not keep a large buffer. */
function keepable(chunk) {
  return chunk.byteLength < chunk.buffer.byteLength / 2 ? chunk.slice() : chunk;
}

/** What has been read so far, up to a limit in bytes. */
class Kept {
  #chunks = [];
  #limit;
  size = 0;

  constructor(limit) {
    this.#limit = limit;
  }

  /** Whether it could be kept. If not, all is let go. */
  add(chunk) {
    this.size += chunk.byteLength;
    if (this.size > this.#limit) {
      this.#chunks = [];
      return false;
    }
    this.#chunks.push(chunk);
    return true;
  }

  join() {
    if (this.#chunks.length === 1) return this.#chunks[0];
    const whole = new Uint8Array(this.size);
    let at = 0;
    for (const chunk of this.#chunks) {
      whole.set(chunk, at);
      at += chunk.byteLength;
    }
    return whole;
  }
}

/** Of a stream of known length only this much may be missing: nothing. */
function whole(kept, length) {
  if (length !== undefined && kept.size !== length) {
    throw new Error(`${kept.size} bytes came where ${length} were announced`);
  }
  return kept.join();
}

/**
 * Returns what is handed on, and a promise of all the bytes: `null` once they are more than `limit`, a rejection when the
 * source breaks.
 *
 * Up to the limit the source is read at its own pace, because the capture holds the bytes anyway, and the client reads
 * the same chunks behind. Past it nothing is held: the source goes at the client's pace.
 */
export function tee(source, limit, length) {
  const { readable, writable } =
    length === undefined ? new IdentityTransformStream() : new FixedLengthStream(length);
  return { body: readable, captured: pump(source, writable, limit, length) };
}

async function pump(source, writable, limit, length) {
  const reader = chunks(source);
  const writer = writable.getWriter();
  const kept = new Kept(limit);
  let clientGone = false;
  let handedOn = Promise.resolve();
  const hand = (chunk) => {
    handedOn = writer.write(chunk);
    handedOn.catch(() => {
      clientGone = true;
    });
  };
  writer.closed.catch(() => {
    clientGone = true;
  });
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const chunk = keepable(value);
      const fits = kept.add(chunk);
      if (!clientGone) hand(chunk);
      if (!fits) {
        // The capture is over; its promise must not wait for the rest.
        finish(source, reader, writable, writer, handedOn);
        return null;
      }
    }
    const bytes = whole(kept, length);
    if (!clientGone) writer.close().catch(() => {});
    return bytes;
  } catch (error) {
    // Never a clean end: the client must see that something is missing.
    writer.abort(error).catch(() => {});
    throw error;
  }
}

/** The rest goes to the client alone, without passing through here. */
async function finish(source, reader, writable, writer, handedOn) {
  try {
    await handedOn;
    reader.release();
    writer.releaseLock();
    await source.pipeTo(writable);
  } catch (error) {
    reader.cancel(error).catch(() => {});
  }
}

/** All bytes of a stream that nobody else reads; `null` when they are more than `limit`. */
export async function collect(source, limit, length) {
  const reader = chunks(source);
  const kept = new Kept(limit);
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return whole(kept, length);
    if (!kept.add(keepable(value))) {
      await reader.cancel("larger than what is wanted").catch(() => {});
      return null;
    }
  }
}

/** Only the bytes from `first` on, `length` of them. A source that ends before breaks the part off. */
export function cut(source, first, length) {
  const { readable, writable } = new FixedLengthStream(length);
  const reader = chunks(source);
  const writer = writable.getWriter();
  const pump = async () => {
    try {
      let skip = first;
      for (let left = length; left > 0; ) {
        const { done, value } = await reader.read();
        if (done) throw new Error("it ended too early");
        const from = Math.min(skip, value.byteLength);
        skip -= from;
        const part = value.subarray(from, from + Math.min(left, value.byteLength - from));
        left -= part.byteLength;
        if (part.byteLength > 0) await writer.write(part);
      }
      await writer.close();
      await reader.cancel("nothing more is wanted");
    } catch (error) {
      writer.abort(error).catch(() => {});
      reader.cancel(error).catch(() => {});
    }
  };
  pump();
  return readable;
}
