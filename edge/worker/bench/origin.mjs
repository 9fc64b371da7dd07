// The origin of what Levee holds.

import { body, fields } from "./body.mjs";

const { age, "cache-status": status, "server-timing": timing, ...own } = fields;

export default { fetch: () => new Response(body, { headers: own }) };
