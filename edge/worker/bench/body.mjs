// The object that every contender serves: 2 KB of JSON and the six fields that Levee writes with it.

export const body = new TextEncoder().encode(JSON.stringify({ seats: "o".repeat(2038) }));

export const fields = {
  "content-type": "application/json",
  "cache-control": "max-age=3600",
  etag: '"1"',
  age: "7",
  "cache-status": "levee; hit; ttl=3593",
  "server-timing": 'cache;desc="hit", tier;desc="memory", age;dur=7000, saved;dur=3',
};
