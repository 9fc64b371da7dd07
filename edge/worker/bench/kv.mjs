// The same out of KV: the key is the URL's path, the value the bytes.

import { fields } from "./body.mjs";

const headers = new Headers(fields);

export default {
  async fetch(request, env) {
    if (request.headers.get("authorization") !== null || request.headers.get("if-none-match") !== null) {
      return new Response(null, { status: 501 });
    }
    const { pathname } = new URL(request.url);
    const value = await env.LEVEE_KV.get(pathname, "arrayBuffer");
    if (value === null) return new Response("not seeded", { status: 404 });
    return new Response(value, { headers });
  },
};
