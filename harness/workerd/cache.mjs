// The Cache API for bare workerd: the service behind `cacheApiOutbound`, kept in memory.
//
// workerd turns each call into a request for the URL itself: `match` is a GET with `Cache-Control: only-if-cached`, answered with
// CF-Cache-Status HIT or MISS; `put` is a PUT whose body is the whole response as an HTTP message, its body never chunked, answered
// 204, or 413 where it is too large; `delete` is a PURGE, answered 200 or 404. The name of a cache that was opened by name
// travels in CF-Cache-Namespace. Like Cloudflare's, it keeps nothing longer than the response's lifetime, and nothing that the
// response forbids to be kept. Unlike Cloudflare's, it knows no conditions, no ranges and no Vary.

const MAX_VALUE = 512 * 1024 * 1024;

/** Responses by cache and URL, the oldest first. */
const entries = new Map();

const keyOf = (request) => `${request.headers.get("CF-Cache-Namespace") ?? ""}\n${request.url}`;

function get(key) {
  const entry = entries.get(key);
  if (entry === undefined || entry.expires <= Date.now()) {
    entries.delete(key);
    return new Response(null, { status: 504, headers: { "CF-Cache-Status": "MISS" } });
  }
  const headers = new Headers(entry.headers);
  headers.set("CF-Cache-Status", "HIT");
  headers.set("Age", String(Math.floor((Date.now() - entry.stored) / 1000)));
  return new Response(entry.body, { status: entry.status, headers, encodeBody: "manual" });
}

/** Where the message's head ends and its body begins. */
function endOfHead(bytes) {
  for (let at = 0; at + 3 < bytes.length; at++) {
    if (bytes[at] === 13 && bytes[at + 1] === 10 && bytes[at + 2] === 13 && bytes[at + 3] === 10) return at;
  }
  return -1;
}

/** Seconds that a response may be kept. */
function lifetime(headers) {
  const control = (headers.get("cache-control") ?? "").toLowerCase();
  if (/(^|[\s,])(no-store|no-cache|private)([\s,=]|$)/.test(control) || headers.has("set-cookie")) return 0;
  const named = /(?:^|[\s,])s-maxage=(\d+)/.exec(control) ?? /(?:^|[\s,])max-age=(\d+)/.exec(control);
  if (named) return Number(named[1]);
  const expires = Date.parse(headers.get("expires") ?? "");
  return Number.isNaN(expires) ? 0 : Math.max(0, (expires - Date.now()) / 1000);
}

async function put(key, request, most) {
  const bytes = new Uint8Array(await request.arrayBuffer());
  const end = endOfHead(bytes);
  if (end < 0) return new Response("the body is no HTTP message", { status: 400 });
  const [line, ...lines] = new TextDecoder().decode(bytes.subarray(0, end)).split("\r\n");
  const headers = new Headers();
  for (const field of lines) {
    const colon = field.indexOf(":");
    headers.append(field.slice(0, colon), field.slice(colon + 1).trim());
  }
  // The message's framing, not the response's own.
  headers.delete("transfer-encoding");
  headers.delete("content-length");
  const body = bytes.slice(end + 4);
  if (body.length > MAX_VALUE) return new Response(null, { status: 413 });
  const seconds = lifetime(headers);
  // As the newest.
  entries.delete(key);
  if (seconds > 0) {
    const stored = Date.now();
    entries.set(key, { status: Number(line.split(" ")[1]), headers: [...headers], body, stored, expires: stored + seconds * 1000 });
  }
  for (const oldest of entries.keys()) {
    if (entries.size <= most) break;
    entries.delete(oldest);
  }
  return new Response(null, { status: 204 });
}

export default {
  async fetch(request, env) {
    const key = keyOf(request);
    switch (request.method) {
      case "GET":
        return get(key);
      case "PUT":
        return put(key, request, Number(env.MOST));
      case "PURGE":
        return new Response(null, { status: entries.delete(key) ? 200 : 404 });
      default:
        return new Response("only match, put and delete are offered", { status: 501 });
    }
  },
};
