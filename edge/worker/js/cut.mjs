// A part of a body.

import { channel, Sink, Source } from "./chunks.mjs";

/**
 * Only the bytes from `first` on, `length` of them; what comes after is not read. A stream that ends before breaks the part
 * off. `idle`: the longest wait for either side, in milliseconds.
 */
export function cut(stream, first, length, idle) {
  const { readable, writable } = channel(length);
  const source = new Source(stream, idle, 0);
  // A client that leaves lets go of the origin, also while that one says nothing.
  const sink = new Sink(writable, idle, () => source.cancel("the client has gone"));
  hand(source, sink, first, length).catch((error) => {
    sink.abort(error);
    source.cancel(error);
  });
  return readable;
}

async function hand(source, sink, first, length) {
  let skip = first;
  let spare;
  for (let left = length; left > 0; ) {
    const chunk = await source.read(spare);
    if (chunk === undefined) throw new Error("it ended too early");
    const from = Math.min(skip, chunk.byteLength);
    skip -= from;
    const part = chunk.subarray(from, from + Math.min(left, chunk.byteLength - from));
    left -= part.byteLength;
    if (part.byteLength > 0) await sink.write(part);
    spare = chunk.buffer;
  }
  source.cancel("nothing more is wanted");
  await sink.close();
}
