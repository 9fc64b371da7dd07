// What Rust calls. Each crossing costs, so that each function does a whole step: fields travel as one string of lines.

import { channel } from "./chunks.mjs";
import { cut } from "./cut.mjs";
import { fields, lines } from "./fields.mjs";
import { release, show } from "./hits.mjs";
import * as local from "./local.mjs";
import { problem } from "./problem.mjs";
import { received, relay } from "./relay.mjs";
import { send } from "./send.mjs";
import { collect, tee } from "./tee.mjs";
import { prime } from "./upload.mjs";

/** Method, URL and fields of a request, a line each. */
function read(request) {
  return `${request.method}\n${request.url}\n${lines(request.headers)}`;
}

/** The client's response. `body` is bytes, a stream, null, or a response that holds an accepted WebSocket. */
function respond(status, text, body) {
  const headers = fields(text);
  if (body?.webSocket) return new Response(null, { status, headers, webSocket: body.webSocket });
  // Bodies are already in the coding that their fields name.
  return new Response(body, { status, headers, encodeBody: "manual" });
}

/** Asks an origin. Never rejects: what goes wrong is a message, whether time ran out, and what the client is at fault for. */
async function ask(method, url, text, body, length, connect, firstByte, idle, rate) {
  const headers = fields(text);
  const answer = await send({ method, url, headers, body, length, connect, firstByte, idle, rate });
  const { response } = answer;
  if (!response) return answer;
  return {
    head: `${response.status}\n${lines(response.headers)}`,
    body: response.webSocket ? response : received(response.body),
  };
}

/** A stream of known length, which the runtime then announces as Content-Length. `idle`: the longest wait, in milliseconds. */
function fixed(stream, length, idle) {
  const { readable, writable } = channel(length);
  relay(stream, writable, idle);
  return readable;
}

/** Lets go of an upload that is not sent. */
function abandon(upload) {
  upload.cancel("it is not sent");
}

/** Lets go of a stream that nobody will read, so that its connection is free again. */
function discard(stream) {
  if (!stream.locked) stream.cancel().catch(() => {});
}

/** In milliseconds, by a timer of the request that is under way. */
function sleep(time) {
  return new Promise((resolve) => setTimeout(resolve, time));
}

function random() {
  return crypto.getRandomValues(new BigUint64Array(1))[0];
}

function warn(message) {
  console.warn(`levee: ${message}`);
}

const stores = { localGet: local.get, localPut: local.put, localDelete: local.remove };
const bodies = { tee, collect, cut, fixed, prime, abandon, discard };

export const host = { read, respond, show, release, ask, sleep, random, warn, problem, ...bodies, ...stores };
