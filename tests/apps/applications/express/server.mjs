// Sessions, forms, static files, server-sent events and socket.io, as an Express application has them. It trusts its proxy, as
// Express's guide says for an application behind one.

import { createServer } from "node:http";

import express from "express";
import session from "express-session";
import { Server } from "socket.io";

const app = express();
app.set("trust proxy", "loopback");
app.use("/assets", express.static("assets", { maxAge: "1y", immutable: true }));

// What the application is told of a request, whatever it is.
app.all("/told/*rest", express.text({ type: "*/*" }), (req, res) => {
  const { method, originalUrl, hostname, host, protocol, ip, rawHeaders, body } = req;
  // Without an ETag, which would only say once more that the content differs.
  res.set("Cache-Control", "no-store").type("json");
  res.end(JSON.stringify({ method, originalUrl, hostname, host, protocol, ip, rawHeaders, body }));
});

// Public pages, which a shared cache may keep.
app.get("/article", (req, res) => res.set("Cache-Control", "public, max-age=600").send("<h1>An article</h1>"));
app.get("/data", (req, res) => res.set("Cache-Control", "max-age=600").json({ items: [1, 2, 3] }));
// One URL, two representations, and it says so.
app.get("/either", (req, res) => {
  res.set({ "Cache-Control": "max-age=600", Vary: "Accept" });
  if (req.accepts(["html", "json"]) === "json") res.json({ as: "json" });
  else res.send("<p>as html</p>");
});
// Common and wrong: the origin is reflected, and `Vary` is forgotten.
app.get("/cors", (req, res) => {
  res.set("Cache-Control", "max-age=600");
  if (req.headers.origin) res.set("Access-Control-Allow-Origin", req.headers.origin);
  res.json({ open: true });
});
app.get("/redirect", (req, res) => res.redirect("/article"));
app.get("/missing", (req, res) => res.status(404).set("Cache-Control", "max-age=600").send("not here"));

// A tenant and a token in fields of one's own.
app.get("/tenant", (req, res) => {
  res.set("Cache-Control", "max-age=600").type("json");
  res.end(JSON.stringify({ tenant: req.get("X-Tenant") ?? null, user: req.get("X-Api-Token") ?? null }));
});

app.get("/report", (req, res) => {
  setTimeout(() => res.set("Cache-Control", "no-store").send("the report"), 12_000);
});

const sessions = session({ secret: "tests", resave: false, saveUninitialized: false, cookie: { sameSite: "lax" } });
app.use("/shop", sessions, express.urlencoded({ extended: false }));
const page = (title, body) =>
  `<!doctype html><title>${title}</title><link rel="stylesheet" href="/assets/style.css"><h1>${title}</h1>${body}` +
  `<script src="/assets/script.js"></script>`;
app.get("/shop", (req, res) => {
  const name = req.session.name ?? "nobody";
  const form = '<form method="post" action="/shop/sign-in"><input name="name"><button>Sign in</button></form>';
  res.send(page("Shop", `<p id="who">${name}</p>${req.session.said ?? ""}${form}`));
});
app.post("/shop/sign-in", (req, res) => {
  // What Next.js, Django, Rails and others check of a form.
  const from = req.get("Origin");
  if (from && new URL(from).host !== req.host) return res.status(403).send("from another site");
  req.session.regenerate(() => {
    req.session.name = req.body.name;
    res.redirect(303, "/shop");
  });
});
app.get("/shop/absolute", (req, res) => res.redirect(`${req.protocol}://${req.host}/shop`));

// Events with identifiers: a client that comes back gets those after the last one that it has seen.
app.get("/events", (req, res) => {
  res.set({ "Content-Type": "text/event-stream", "Cache-Control": "no-cache" });
  // A client that lost the connection comes back after so many milliseconds.
  res.write("retry: 200\n\n");
  let next = Number(req.get("Last-Event-ID") ?? 0) + 1;
  const timer = setInterval(() => {
    res.write(`id: ${next}\ndata: event ${next}\n\n`);
    if (next++ % 3 === 0) {
      clearInterval(timer);
      res.end();
    }
  }, 30);
  res.on("close", () => clearInterval(timer));
});

const server = createServer(app);
const io = new Server(server, { pingInterval: 25_000 });
io.on("connection", (socket) => {
  socket.on("say", (text, reply) => reply(`heard ${text}`));
  socket.on("blob", (bytes, reply) => reply(bytes.length));
  socket.join("room");
  socket.on("tell", (text) => io.to("room").emit("told", text));
});
server.listen(Number(process.env.PORT), "127.0.0.1");
