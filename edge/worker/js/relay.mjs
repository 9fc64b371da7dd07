// A stream into another, without passing through here where the runtime can do that.

import { Sink, Source } from "./chunks.mjs";

/** Bodies that came from the network. The runtime does not pipe what one of its transforms gives into another. */
const pipeable = new WeakSet();

/** Remembers that a body came from the network; returns it. */
export function received(body) {
  if (body) pipeable.add(body);
  return body;
}

/** Writes all of `stream`, and ends or breaks off with it. `idle`: the longest wait for either side, in milliseconds. */
export async function relay(stream, writable, idle) {
  try {
    await (pipeable.has(stream) ? stream.pipeTo(writable) : byHand(stream, writable, idle));
  } catch {
    // Whichever side broke, the other has learnt of it.
  }
}

async function byHand(stream, writable, idle) {
  const source = new Source(stream, idle, 0);
  const sink = new Sink(writable, idle, () => source.cancel("the client has gone"));
  try {
    for (let chunk; (chunk = await source.read(chunk?.buffer)) !== undefined; ) await sink.write(chunk);
    await sink.close();
  } catch (error) {
    sink.abort(error);
    source.cancel(error);
  }
}
