// An answer for what goes wrong before or below the pipeline (RFC 9457).

export function problem(detail) {
  const body = { type: "about:blank", title: "Internal Server Error", status: 500, detail };
  return new Response(JSON.stringify(body), {
    status: 500,
    headers: {
      "content-type": "application/problem+json",
      "x-content-type-options": "nosniff",
      "cache-control": "no-store",
      "cache-status": "levee; detail=internal-error",
      "server-timing": 'cache;desc="error"',
    },
  });
}
