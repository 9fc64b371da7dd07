import { io } from "socket.io-client";

const BROWSER = {
  Accept: "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
  "Accept-Encoding": "gzip, deflate, br",
  "Accept-Language": "en-GB,en;q=0.9",
  "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
};

/** Fields that an edge may add or change on the way to an application: how it is forwarded, and the hop itself. */
const FORWARDING = new Set([
  "accept-encoding",
  "cdn-loop",
  "connection",
  "content-length",
  "forwarded",
  "transfer-encoding",
  "via",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-port",
  "x-forwarded-proto",
  "x-real-ip",
]);

function told(text) {
  const { rawHeaders, ...rest } = JSON.parse(text);
  const fields = [];
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at].toLowerCase();
    if (!FORWARDING.has(name)) fields.push(`${name}: ${rawHeaders[at + 1]}`);
  }
  return JSON.stringify({ ...rest, fields: fields.sort() });
}

async function whatTheApplicationIsTold(client) {
  const see = (label, target, options) => client.probe(label, target, { body: told, ...options });
  await see("a browser", "/told/page?a=1&b=%20", { fields: BROWSER });
  await see("curl", "/told/page", { fields: { "User-Agent": "curl/8.11.0", Accept: "*/*" } });
  await see("own fields", "/told/own", { fields: { ...BROWSER, "X-Tenant": "a", "Last-Event-ID": "7", "X-Requested-With": "fetch" } });
  await see("a cookie", "/told/cookie", { fields: { ...BROWSER, Cookie: "a=1; _ga=GA1.1.2.3" } });
  await see("a token", "/told/token", { fields: { Authorization: "Bearer abc", Accept: "application/json" } });
  await see("content", "/told/content", { method: "POST", content: "{}", fields: { "Content-Type": "application/json" } });
  await see("PATCH", "/told/patch", { method: "PATCH", content: "x", fields: { "Content-Type": "text/plain" } });
  await see("odd target", "/told/it's/[a]/~b/%7Ec?x=a%2Fb&&y", { fields: BROWSER });
}

async function publicPages(client) {
  for (const target of ["/article", "/data", "/either", "/missing", "/redirect"]) {
    await client.probe(`${target} by a browser`, target, { fields: BROWSER });
    await client.probe(`${target} by curl`, target, { fields: { "User-Agent": "curl/8.11.0", Accept: "*/*" } });
    await client.probe(`${target} as JSON`, target, { fields: { Accept: "application/json" } });
  }
  await client.probe("HEAD", "/article", { method: "HEAD", fields: BROWSER });
  const { fields } = await client.http("/article", { fields: BROWSER });
  const etag = fields.find(([name]) => name === "etag")?.[1] ?? "none";
  await client.probe("a condition", "/article", { fields: { ...BROWSER, "If-None-Match": etag } });
}

async function fieldsOfTheirOwn(client) {
  for (const name of ["a", "b"]) {
    await client.probe(`tenant ${name}`, "/tenant", { fields: { "X-Tenant": name } });
    await client.probe(`token ${name}`, "/tenant", { fields: { "X-Api-Token": name } });
  }
  await client.probe("neither", "/tenant");
}

async function crossOrigin(client) {
  await client.probe("from a", "/cors", { fields: { Origin: "https://a.example" } });
  await client.probe("from b", "/cors", { fields: { Origin: "https://b.example" } });
  await client.probe("from nowhere", "/cors");
}

async function sessionsAndForms(client) {
  const { page, log } = await client.browse();
  await page.goto(`${client.base}/shop`);
  client.see("before", await page.locator("#who").innerText());
  await page.locator("input[name=name]").fill("Ada");
  await page.getByRole("button").click();
  await page.waitForLoadState("load");
  client.see("address after the form", page.url());
  client.see("after", await page.locator("body").innerText());
  await page.reload();
  client.see("after a reload", await page.locator("body").innerText());
  client.see("script and style", [
    await page.evaluate(() => document.documentElement.dataset.script),
    await page.evaluate(() => getComputedStyle(document.querySelector("h1")).color),
  ]);
  await page.goto(`${client.base}/shop/absolute`);
  client.see("address after an absolute redirect", page.url());
  // Somebody else is nobody.
  const other = await client.browse();
  await other.page.goto(`${client.base}/shop`);
  client.see("another visitor", await other.page.locator("#who").innerText());
  log.see("the browser");
}

async function events(client) {
  const { page, log } = await client.browse();
  await page.goto(`${client.base}/article`);
  // The server ends the stream after three events; the browser comes back and says which it has seen.
  const seen = await page.evaluate(
    () =>
      new Promise((resolve) => {
        const seen = [];
        const source = new EventSource("/events");
        source.onmessage = ({ data, lastEventId }) => {
          seen.push([lastEventId, data]);
          if (seen.length === 6) {
            source.close();
            resolve(seen);
          }
        };
      }),
  );
  client.see("events", seen);
  log.see("the browser");
  await client.probe("resumed by hand", "/events", { fields: { Accept: "text/event-stream", "Last-Event-ID": "4" } });
}

async function connected(client, transports) {
  const socket = io(client.base, { transports, reconnection: false, forceNew: true, timeout: 10_000 });
  client.finally(() => socket.close());
  await new Promise((resolve, reject) => {
    socket.on("connect", resolve);
    socket.on("connect_error", (error) => {
      reject(new Error(`socket.io: ${error.message}, ${error.description?.message ?? error.description ?? "no reason"}`));
    });
  });
  return socket;
}

async function talk(client, socket) {
  client.see("transport", socket.io.engine.transport.name);
  client.see("a reply", await socket.timeout(10_000).emitWithAck("say", "hello"));
  client.see("bytes", await socket.timeout(10_000).emitWithAck("blob", Buffer.alloc(100_000)));
  const told = new Promise((resolve) => socket.once("told", resolve));
  socket.emit("tell", "everyone");
  client.see("to the room", await told);
}

const polling = async (client) => talk(client, await connected(client, ["polling"]));
const webSocket = async (client) => talk(client, await connected(client, ["websocket"]));

async function upgraded(client) {
  const socket = await connected(client, ["polling", "websocket"]);
  if (socket.io.engine.transport.name !== "websocket") {
    await new Promise((resolve, reject) => {
      socket.io.engine.once("upgrade", resolve);
      setTimeout(() => reject(new Error("not upgraded within 10 s")), 10_000).unref();
    });
  }
  await talk(client, socket);
}

/** Longer than any server's, proxy's or edge's usual wait of a minute. */
async function idle(client) {
  const kinds = ["websocket", "polling"];
  await Promise.all(
    kinds.map(async (kind) => {
      const socket = await connected(client, [kind]).catch((error) => client.see(`${kind}: not connected`, error.message));
      if (!socket) return;
      let ended = null;
      socket.on("disconnect", (reason) => (ended = reason));
      await new Promise((resolve) => setTimeout(resolve, 70_000));
      client.see(`${kind}: ended meanwhile`, String(ended));
      const reply = socket.timeout(10_000).emitWithAck("say", "still there");
      client.see(`${kind}: a reply after`, await reply.catch((error) => error.message));
    }),
  );
}
Object.assign(idle, { patience: 120_000, slow: true });

const slowReport = Object.assign(
  (client) => client.probe("a report that takes 12 s", "/report", { fields: BROWSER }),
  { slow: true },
);

export const flows = {
  "what the application is told": whatTheApplicationIsTold,
  "public pages": publicPages,
  "fields of its own": fieldsOfTheirOwn,
  "cross-origin requests": crossOrigin,
  "sessions and forms in a browser": sessionsAndForms,
  "server-sent events, resumed": events,
  "socket.io by polling": polling,
  "socket.io by WebSocket": webSocket,
  "socket.io, upgraded": upgraded,
  "socket.io, idle for 70 s": idle,
  "a report that takes 12 s": slowReport,
};
