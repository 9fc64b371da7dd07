// Workers KV for bare workerd: the service behind a KV binding, kept in memory.
//
// workerd turns each call on the binding into a request: GET, PUT or DELETE of /<key>?urlencoded=true. A value's metadata
// travels in CF-KV-Metadata, its expiry in the query (seconds), and "not there" is 404. Unlike Cloudflare's, this store is
// strongly consistent.

const MIN_TTL = 60;
const MAX_KEY = 512;
const MAX_VALUE = 25 * 1024 * 1024;
const MAX_METADATA = 1024;

const entries = new Map();

/** So many writes after one another, what has expired goes, read again or not. */
const SWEEP = 1024;
let writes = 0;

function sweep() {
  for (const key of entries.keys()) live(key);
}

const refuse = (status, why) => new Response(why, { status });

function live(key) {
  const entry = entries.get(key);
  if (entry && entry.expires !== undefined && entry.expires * 1000 <= Date.now()) {
    entries.delete(key);
    return undefined;
  }
  return entry;
}

function get(key) {
  const entry = live(key);
  if (!entry) return refuse(404, "not found");
  const headers = {};
  if (entry.metadata !== null) headers["CF-KV-Metadata"] = entry.metadata;
  if (entry.expires !== undefined) headers.Expiration = String(entry.expires);
  return new Response(entry.value, { headers });
}

async function put(key, request, query) {
  // Read first, whatever the answer: a caller whose body is not read waits for ever.
  const value = await request.arrayBuffer();
  const now = Math.floor(Date.now() / 1000);
  let expires;
  if (query.has("expiration_ttl")) {
    const ttl = Number(query.get("expiration_ttl"));
    if (!(ttl >= MIN_TTL)) return refuse(400, `expiration_ttl must be at least ${MIN_TTL} seconds`);
    expires = now + ttl;
  } else if (query.has("expiration")) {
    expires = Number(query.get("expiration"));
    if (!(expires >= now + MIN_TTL)) return refuse(400, `expiration must be ${MIN_TTL} seconds or more ahead`);
  }
  const metadata = request.headers.get("CF-KV-Metadata");
  if (metadata !== null && new TextEncoder().encode(metadata).length > MAX_METADATA) {
    return refuse(413, `metadata is limited to ${MAX_METADATA} bytes`);
  }
  if (value.byteLength > MAX_VALUE) return refuse(413, `a value is limited to ${MAX_VALUE} bytes`);
  entries.set(key, { value, metadata, expires });
  if (++writes % SWEEP === 0) sweep();
  return new Response(null, { status: 200 });
}

export default {
  async fetch(request) {
    const url = new URL(request.url);
    const raw = url.pathname.slice(1);
    const key = url.searchParams.get("urlencoded") === "true" ? decodeURIComponent(raw) : raw;
    if (key === "") return refuse(501, "only GET, PUT and DELETE of one key are offered");
    if (new TextEncoder().encode(key).length > MAX_KEY) return refuse(414, `a key is limited to ${MAX_KEY} bytes`);
    switch (request.method) {
      case "GET":
        return get(key);
      case "PUT":
        return put(key, request, url.searchParams);
      case "DELETE":
        entries.delete(key);
        return new Response(null, { status: 200 });
      default:
        return refuse(501, "only GET, PUT and DELETE of one key are offered");
    }
  },
};
