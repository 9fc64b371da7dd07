// One URL is a whole page to a browser and a fragment to htmx. `/said/…` names `HX-Request` in `Vary`; `/unsaid/…` does not, as
// many applications do not.

import { createRequire } from "node:module";
import { dirname } from "node:path";

import express from "express";

const app = express();
// It would only say once more that the content differs.
app.disable("etag");
const htmx = dirname(createRequire(import.meta.url).resolve("htmx.org/dist/htmx.min.js"));
app.use("/assets", express.static(htmx, { maxAge: "1y", immutable: true }));

const ITEMS = ["apples", "pears", "plums"];

for (const kind of ["said", "unsaid"]) {
  const link = (item) =>
    `<a id="${item}" href="/${kind}/${item}" hx-get="/${kind}/${item}" hx-target="#main" hx-push-url="true">${item}</a>`;
  const page = (main) =>
    `<!doctype html><html><head><title>${kind}</title><script src="/assets/htmx.min.js"></script></head>` +
    `<body><nav>${ITEMS.map(link).join(" ")}</nav><main id="main">${main}</main></body></html>`;
  app.get(`/${kind}/:item`, (req, res) => {
    res.set("Cache-Control", "max-age=600");
    if (kind === "said") res.set("Vary", "HX-Request");
    const main = `<p>All about ${req.params.item}</p>`;
    res.send(req.get("HX-Request") ? main : page(main));
  });
}
// Fields of a response that htmx acts on.
app.post("/signal", (req, res) => res.set({ "HX-Trigger": "done", "HX-Push-Url": "/said/plums" }).send("<p>signalled</p>"));

app.listen(Number(process.env.PORT), "127.0.0.1");
