// A visitor before the edge, in a real browser: finds a film, sees by the strip what the edge did, buys a seat.
//
//     node visit.mjs EDGE-URL SCREENSHOT-FOLDER
//
// Says what it has seen, a line each, and ends with 1 and the reason if something is not as it must be.

import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import { chromium } from "playwright-core";

const [edge, screenshots] = process.argv.slice(2);

/** For one step in the browser. */
const PATIENCE = 20_000;
/** It is on in many cinemas, whatever the date. */
const FILM = "Pulp Fiction";

const DESKTOP = { viewport: { width: 1280, height: 800 } };
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

/** A Chromium of this machine, else the one of the npm package. */
async function launch() {
  const path = process.env.LEVEE_CHROMIUM;
  if (path) return chromium.launch({ executablePath: path, args: ["--no-sandbox"] });
  const { default: packaged } = await import("@sparticuz/chromium");
  // In one process, as the package would have it, a page that ends now and then takes the browser along.
  const args = packaged.args.filter((arg) => arg !== "--single-process");
  return chromium.launch({ executablePath: await packaged.executablePath(), args });
}

/** A visitor with a browser of their own. What goes wrong in the page is collected in `complaints`. */
class Visitor {
  complaints = [];

  static async arrive(browser, name, options) {
    const visitor = new Visitor();
    visitor.name = name;
    visitor.context = await browser.newContext(options);
    visitor.context.setDefaultTimeout(PATIENCE);
    visitor.page = await visitor.open();
    return visitor;
  }

  async open() {
    const page = await this.context.newPage();
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) this.complaints.push(`console: ${message.text()}`);
    });
    page.on("pageerror", (error) => this.complaints.push(`script: ${error}`));
    page.on("response", (response) => {
      if (response.status() >= 400) this.complaints.push(`${response.status()} for ${response.url()}`);
    });
    page.on("requestfailed", (request) => {
      // What was under way when the visitor went on.
      const reason = request.failure()?.errorText;
      if (reason !== "net::ERR_ABORTED") this.complaints.push(`${reason} for ${request.url()}`);
    });
    return page;
  }

  async picture(what) {
    // Fonts and the strip are there before the picture is.
    await this.page.waitForLoadState("networkidle");
    await this.page.screenshot({ path: join(screenshots, `${this.name}-${what}.png`), fullPage: false });
    const wider = await this.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wider <= 0, `${this.name}: ${what} is ${wider} pixels wider than the screen`);
  }

  /** From the front page by search to the film. */
  async find(title) {
    await this.page.goto(`${edge}/`);
    await this.picture("home");
    await this.page.getByLabel("Title or director").fill(title.toLowerCase());
    await this.page.getByRole("button", { name: "Search" }).click();
    await this.page.waitForURL(/[?&]q=/);
    await this.picture("search");
    await this.page.getByRole("link", { name: title }).first().click();
    await this.page.waitForURL(/\/films\/\d+/);
    assert.match(await this.page.getByRole("heading", { level: 1 }).innerText(), new RegExp(title));
    await this.picture("film");
  }

  /** From the film to the seat map of the last screening of its first cinema. */
  async choose() {
    const house = this.page.locator("details.house").first();
    if ((await house.getAttribute("open")) === null) await house.locator("summary").click();
    await house.locator("a.time").last().click();
    await this.page.waitForURL(/\/screenings\/\d+/);
    await this.picture("screening");
  }

  /**
   * Buys the free seat at this place; returns it with the address of its screening. Each visitor buys at another place, because
   * a map may be a few seconds old and still offer what the one before has just bought.
   */
  async buy(place) {
    const screening = this.page.url();
    const seat = await this.page.locator("input.seat:enabled").nth(place).getAttribute("value");
    await this.page.locator(`input.seat[value="${seat}"]`).check();
    await this.page.getByRole("button", { name: "Continue" }).click();
    await this.page.waitForURL(/\/checkout\?seat=/);
    await this.picture("checkout");
    await this.page.getByLabel("Your name").fill("Ada Lovelace");
    await this.page.getByRole("button", { name: /^Buy for/ }).click();
    await this.page.waitForURL(/\/orders\/[0-9a-z]+/);
    assert.match(await this.page.locator(".ticket-seats").innerText(), new RegExp(`\\b${seat}\\b`));
    await this.picture("order");
    return { screening, seat };
  }

  async strip() {
    const strip = this.page.locator("[data-levee-strip]");
    await strip.waitFor();
    return { state: await strip.getAttribute("data-cache"), text: (await strip.innerText()).trim() };
  }

  async leave() {
    assert.deepEqual(this.complaints, [], `${this.name}: the browser complained`);
    await this.context.close();
  }
}

/** Reloads until the seat cannot be chosen any more: the map may be a few seconds old. */
async function seeTaken(page, { screening, seat }) {
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    await page.goto(screening);
    if (await page.locator(`input.seat[value="${seat}"]`).isDisabled()) return;
    assert.ok(Date.now() < deadline, `${seat} was sold and is still offered`);
    await page.waitForTimeout(250);
  }
}

async function onADesktop(browser) {
  const visitor = await Visitor.arrive(browser, "desktop", DESKTOP);
  const { page } = visitor;
  await visitor.find(FILM);
  const first = await visitor.strip();
  assert.equal(first.state, "miss", first.text);
  await page.reload();
  const second = await visitor.strip();
  assert.equal(second.state, "hit", second.text);
  assert.match(second.text, /HIT.*The origin was not asked/s);
  await visitor.picture("film-again");
  console.log(`desktop: ${FILM} found; after a reload the strip says: ${second.text.replaceAll(/\s+/g, " ")}`);

  await visitor.choose();
  // Somebody else looks at the same map meanwhile, and does not reload.
  const other = await visitor.open();
  await other.goto(page.url());
  const bought = await visitor.buy(0);
  const own = await visitor.strip();
  assert.equal(own.state, "pass", own.text);
  await other.locator(`input.seat[value="${bought.seat}"]:disabled`).waitFor({ state: "attached" });
  await seeTaken(page, bought);
  await visitor.picture("screening-taken");
  console.log(`desktop: seat ${bought.seat} bought; who looks on sees it taken without a reload`);

  await page.locator("[data-levee-close]").click();
  await page.reload();
  assert.ok(await page.locator("[data-levee-strip]").isHidden(), "a closed strip stays closed");
  await page.locator("[data-levee-open]").click();
  await visitor.strip();
  await visitor.leave();
}

async function onAPhone(browser) {
  const visitor = await Visitor.arrive(browser, "phone", PHONE);
  await visitor.find(FILM);
  await visitor.choose();
  const { seat } = await visitor.buy(-1);
  console.log(`phone: seat ${seat} bought`);
  await visitor.leave();
}

async function withoutJavaScript(browser) {
  const visitor = await Visitor.arrive(browser, "without-javascript", { ...DESKTOP, javaScriptEnabled: false });
  await visitor.find(FILM);
  assert.ok(await visitor.page.locator("[data-levee-strip]").isHidden(), "an empty strip is not shown");
  await visitor.choose();
  const bought = await visitor.buy(5);
  await seeTaken(visitor.page, bought);
  console.log(`without JavaScript: seat ${bought.seat} bought and seen taken`);
  await visitor.leave();
}

await mkdir(screenshots, { recursive: true });
const browser = await launch();
try {
  await onADesktop(browser);
  await onAPhone(browser);
  await withoutJavaScript(browser);
  console.log(`screenshots in ${screenshots}`);
} finally {
  await browser.close();
}
