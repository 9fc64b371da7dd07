/** A page in which a reload would be noticed. */
async function visit(client, path) {
  const { page, log } = await client.browse();
  await page.goto(client.base + path);
  await page.waitForLoadState("networkidle");
  await page.evaluate(() => (window.here = "not reloaded"));
  const softly = async (link, heading) => {
    await page.locator(link).click();
    await page.getByRole("heading", { name: heading }).waitFor();
    const { here, path } = await page.evaluate(() => ({ here: window.here ?? "reloaded", path: location.pathname }));
    client.see(`to ${heading}`, [path, here]);
  };
  return { page, log, softly };
}

/** Chunks of scripts are many, and their names say nothing. */
const shown = (answer) => !/\/_next\/static\/|favicon/.test(answer);
/** What Next.js asks for ahead depends on what it has the time for. */
const asked = (answer) => shown(answer) && !answer.includes("_rsc=");

async function softNavigation(client) {
  const { page, log, softly } = await visit(client, "/");
  await softly("#first", "Item 1");
  await softly("#second", "Item 2");
  await page.goBack();
  await page.getByRole("heading", { name: "Item 1" }).waitFor();
  client.see("back", await page.evaluate(() => window.here ?? "reloaded"));
  await softly("#home", "Home");
  // Another visitor begins where the first one has been by a fragment.
  const other = await visit(client, "/items/2");
  client.see("a page that was a fragment", await other.page.locator("main").innerText());
  await other.softly("#home", "Home");
  await other.softly("#first", "Item 1");
  log.see("the browser", asked);
  other.log.see("another browser", asked);
}

async function prefetch(client) {
  const { page } = await client.browse();
  const ahead = new Map();
  page.on("response", (response) => {
    const url = new URL(response.url());
    if (!url.searchParams.has("_rsc")) return;
    const kind = `${url.pathname}: ${response.status()} ${response.headers()["content-type"]}`;
    ahead.set(kind, true);
  });
  await page.goto(`${client.base}/`);
  await page.waitForLoadState("networkidle");
  client.see("asked for ahead", [...ahead.keys()].sort());
}

async function fragmentsByHand(client) {
  const rsc = { RSC: "1", Accept: "*/*" };
  const ahead = { ...rsc, "Next-Router-Prefetch": "1", "Next-Router-Segment-Prefetch": "/_tree" };
  const shape = (text) => (text.startsWith("<!DOCTYPE") ? "a page" : "a fragment");
  const options = (fields) => ({ fields, body: shape, except: ["x-nextjs-cache"] });
  for (const turn of ["", " again"]) {
    await client.probe(`a page${turn}`, "/items/1", options());
    for (const [name, fields] of [["a fragment", rsc], ["a fragment ahead", ahead]]) {
      // Without the parameter that stands for these fields, Next.js names it.
      const named = await client.probe(`${name}, not named${turn}`, "/items/1", options(fields));
      await client.probe(name + turn, named.field("location") ?? "/items/1", options(fields));
    }
  }
  await client.probe("data", "/api/time");
}

async function serverActions(client) {
  const { page, log, softly } = await visit(client, "/counter");
  const count = async () => Number(await page.locator("#count").innerText());
  const before = await count();
  const changed = (from) => page.waitForFunction((from) => Number(document.querySelector("#count").textContent) > from, from);
  await page.getByRole("button").click();
  await changed(before);
  client.see("added", (await count()) - before);
  client.see("without a reload", await page.evaluate(() => window.here ?? "reloaded"));
  await softly("#home", "Home");
  await page.goto(`${client.base}/mine`);
  client.see("at first", await page.locator("#who").innerText());
  await page.locator("input[name=name]").fill("Ada");
  await page.getByRole("button").click();
  await page.waitForFunction(() => document.querySelector("#who").textContent !== "nobody");
  client.see("signed in", [await page.locator("#who").innerText(), page.url()]);
  const other = await client.browse();
  await other.page.goto(`${client.base}/mine`);
  client.see("another visitor", await other.page.locator("#who").innerText());
  // Without JavaScript a form is posted as forms are.
  const plain = await client.browse({ javaScriptEnabled: false });
  await plain.page.goto(`${client.base}/mine`);
  await plain.page.locator("input[name=name]").fill("Grace");
  await plain.page.getByRole("button").click();
  client.see("without JavaScript", await plain.page.locator("#who").innerText());
  log.see("the browser", asked);
}

async function images(client) {
  const { page, log } = await client.browse();
  await page.goto(`${client.base}/picture`);
  const picture = page.locator("#picture");
  const target = await picture.evaluate(async (image) => {
    await image.decode();
    return image.currentSrc;
  });
  client.see("width of the picture", await picture.evaluate((image) => image.naturalWidth > 0));
  const { pathname, search } = new URL(target);
  const shape = (text) => text.length;
  const accept = { avif: "image/avif,image/webp,*/*;q=0.8", webp: "image/webp,*/*;q=0.8", any: "*/*" };
  for (const [name, value] of Object.entries(accept)) {
    const options = { fields: { Accept: value }, body: shape, except: ["x-nextjs-cache"] };
    await client.probe(`as ${name}`, pathname + search, options);
  }
  log.see("the browser", asked);
}

async function incrementalPages(client) {
  const time = async () => /id="time">(\d+)/.exec((await client.http("/clock")).text())[1];
  const first = await time();
  client.see("is a time", first.length);
  // It is made anew behind an answer, so somebody sees it soon.
  const deadline = Date.now() + 30_000;
  for (;;) {
    if ((await time()) !== first) break;
    if (Date.now() > deadline) throw new Error("the page was not made anew within 30 s");
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  client.see("made anew", "within 30 s");
  await client.probe("an incremental page", "/items/1", { except: ["x-nextjs-cache"], body: (text) => text.length });
}

export const flows = {
  "soft navigation": softNavigation,
  "prefetch": prefetch,
  "pages and fragments by hand": fragmentsByHand,
  "server actions": serverActions,
  "images": images,
  "incremental pages": incrementalPages,
};
