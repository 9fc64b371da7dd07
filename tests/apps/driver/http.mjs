// A plain HTTP client, which adds nothing to what it is told to send and hides nothing of what comes back.

import { request as send } from "node:http";
import { brotliDecompressSync, gunzipSync, inflateSync } from "node:zlib";

/**
 * What an intermediary may change or add, and times. All other fields of a response are compared.
 * `content-length` and `transfer-encoding` are framing: that the body is whole is seen by the body.
 */
const NOT_COMPARED = new Set([
  "age",
  "cache-status",
  "connection",
  "content-length",
  "date",
  "keep-alive",
  "proxy-status",
  "server-timing",
  "transfer-encoding",
  "via",
]);

const DECODERS = { gzip: gunzipSync, br: brotliDecompressSync, deflate: inflateSync };

/** What a 304 must carry if the 200 does (RFC 9110, 15.4.5); it may carry more or not. */
const NOT_MODIFIED = new Set(["cache-control", "content-location", "etag", "expires", "vary"]);

/** A cookie without its value and its times. */
function settled(cookie) {
  return cookie.replace(/=[^;]*/, "=…").replace(/expires=[^;]*/i, "Expires=…");
}

/** What differs from one moment or visitor to the next. */
const SETTLED = { "set-cookie": settled, expires: () => "…" };

/** A response with its whole body. */
class Response {
  constructor(status, raw, bytes) {
    this.status = status;
    /** Names in lower case and values, in order. */
    this.fields = [];
    for (let at = 0; at < raw.length; at += 2) this.fields.push([raw[at].toLowerCase(), raw[at + 1]]);
    /** As sent, still in its content coding. */
    this.bytes = bytes;
  }

  /** All lines of a field, joined; `undefined` where there is none. */
  field(name) {
    const lines = this.fields.filter(([field]) => field === name).map(([, value]) => value);
    return lines.length === 0 ? undefined : lines.join(", ");
  }

  /** Decoded. */
  text() {
    const decode = DECODERS[this.field("content-encoding")];
    return (decode && this.bytes.length > 0 ? decode(this.bytes) : this.bytes).toString();
  }

  json() {
    return JSON.parse(this.text());
  }

  /**
   * The fields that must be the same with and without the edge, sorted: each once, because several lines and one with all their
   * values say the same (RFC 9110, 5.3).
   */
  compared(except = []) {
    const lines = new Map();
    for (const [name, value] of this.fields) {
      const kept = this.status === 304 ? NOT_MODIFIED.has(name) : !NOT_COMPARED.has(name);
      if (!kept || except.includes(name)) continue;
      lines.set(name, [...(lines.get(name) ?? []), SETTLED[name]?.(value) ?? value]);
    }
    return [...lines].map(([name, values]) => `${name}: ${values.join(", ")}`).sort();
  }

  /** Cookies that it sets, for `Cookie`. */
  cookies() {
    return this.fields
      .filter(([name]) => name === "set-cookie")
      .map(([, value]) => value.split(";")[0])
      .join("; ");
  }
}

/** Sends a request on a connection of its own. Follows no redirect. */
export function request(base, target, { method = "GET", fields = {}, content, patience = 30_000 } = {}) {
  const { hostname, port, host } = new URL(base);
  return new Promise((resolve, reject) => {
    const headers = { Host: host, ...fields };
    if (content !== undefined) headers["Content-Length"] = Buffer.byteLength(content);
    const options = { host: hostname, port, path: target, method, headers, setDefaultHeaders: false, agent: false };
    const sent = send(options, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve(new Response(response.statusCode, response.rawHeaders, Buffer.concat(chunks))),
      );
    });
    sent.setTimeout(patience, () => sent.destroy(new Error(`${method} ${target}: no answer within ${patience / 1000} s`)));
    sent.on("error", reject);
    sent.end(content);
  });
}
