// What a fresh process costs by itself.

export default { fetch: () => new Response("") };
