export const dynamic = "force-dynamic";

export function GET(request) {
  return Response.json({ asked: new URL(request.url).pathname }, { headers: { "Cache-Control": "public, s-maxage=600" } });
}
