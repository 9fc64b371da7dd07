// An answer for what goes wrong before or below the pipeline (RFC 9457).

/** The edge's own failure, unless another status is given. */
export function problem(detail, status = 500, title = "Internal Server Error") {
  const body = { type: "about:blank", title, status, detail };
  return new Response(JSON.stringify(body), {
    status,
    headers: {
      "content-type": "application/problem+json",
      "x-content-type-options": "nosniff",
      "cache-control": "no-store",
      "cache-status": `levee; detail=${status < 500 ? "bad-request" : "internal-error"}`,
      "server-timing": 'cache;desc="error"',
    },
  });
}
