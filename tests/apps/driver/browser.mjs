// A real Chromium, started when the first flow asks for one.

import { chromium } from "playwright-core";

const PATIENCE = 15_000;
let running;

/** A Chromium of this machine, else the one of the npm package. */
async function launch() {
  const path = process.env.LEVEE_CHROMIUM;
  if (path) return chromium.launch({ executablePath: path, args: ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"] });
  const { default: packaged } = await import("@sparticuz/chromium");
  // In one process, as the package would have it, a page that ends now and then takes the browser along.
  const args = packaged.args.filter((arg) => arg !== "--single-process");
  return chromium.launch({
    executablePath: await packaged.executablePath(),
    args: [...args, "--autoplay-policy=no-user-gesture-required"],
  });
}

/** A context with one page. `log`: what the browser complained about, and what it asked for. */
export async function openContext(client, options) {
  running ??= launch();
  const context = await (await running).newContext({ serviceWorkers: "block", ...options });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const log = new PageLog(client);
  log.follow(page);
  return { page, context, log };
}

export async function closeBrowser() {
  if (running) await (await running).close();
}

class PageLog {
  complaints = [];
  #asked = new Set();

  constructor(client) {
    this.client = client;
  }

  follow(page) {
    page.on("console", (message) => {
      if (message.type() === "error") this.complaints.push(`console: ${message.text()}`);
    });
    page.on("pageerror", (error) => this.complaints.push(`script: ${error}`));
    page.on("requestfailed", (request) => {
      const reason = request.failure()?.errorText;
      // What was under way when the visitor went on.
      if (reason !== "net::ERR_ABORTED") this.complaints.push(`${reason} for ${request.url()}`);
    });
    page.on("response", (response) => {
      const request = response.request();
      this.#asked.add(`${response.status()} ${request.method()} ${request.resourceType()} ${response.url()}`);
    });
    page.on("websocket", (socket) => this.#asked.add(`websocket ${socket.url().split("?")[0]}`));
  }

  /** Complaints and answers, each once and sorted, as far as `wanted` says. */
  see(label, wanted = () => true) {
    this.client.see(`${label}: answers`, [...this.#asked].filter(wanted).sort());
    this.client.see(`${label}: complaints`, [...new Set(this.complaints)].sort());
  }
}
