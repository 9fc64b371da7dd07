// The Cache API as a store of bytes: one data centre's, free of charge, and forgetful.
//
// What is kept is the edge's own stored form, as the body of a response that no origin gave, under a URL that the edge answers
// nobody (`/.levee/`), in a cache of its own name: neither requests of clients nor `fetch` look into that one.

const NAME = "levee";

/** A cache may be kept between requests: it is a name, and holds nothing of any of them. */
let opened;

const open = async () => (opened = await caches.open(NAME));

// By the host that was asked: Cloudflare resolves the name of a foreign one for nothing.
const urlOf = (authority, key) => `https://${authority}/.levee/entry/${key}`;

/** The bytes, or null where there are none. */
export async function get(authority, key) {
  const response = await (opened ?? (await open())).match(urlOf(authority, key));
  return response === undefined ? null : response.arrayBuffer();
}

/** Keeps bytes for so many seconds, at most. */
export async function put(authority, key, value, seconds) {
  const headers = { "content-type": "application/octet-stream", "cache-control": `max-age=${seconds}` };
  await (opened ?? (await open())).put(urlOf(authority, key), new Response(value, { headers }));
}

export async function remove(authority, key) {
  await (opened ?? (await open())).delete(urlOf(authority, key));
}
