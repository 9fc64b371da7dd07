// Each page is another visitor's: the browser's own cache, which does not know the difference either, must not decide.

async function visit(client, kind, first, then) {
  const { page, log } = await client.browse();
  // htmx marks what it has just put there.
  const html = async () => (await page.locator("body").innerHTML()).replaceAll(/ class="[^"]*"/g, "");
  await page.goto(`${client.base}/${kind}/${first}`);
  client.see(`a page of ${first}`, await html());
  const link = page.locator(`#${then}`);
  if ((await link.count()) !== 1) return;
  await page.evaluate(() => {
    window.settled = new Promise((resolve) => document.body.addEventListener("htmx:afterSettle", resolve, { once: true }));
  });
  await link.click();
  await page.evaluate(() => window.settled.then(() => {}));
  client.see(`a fragment of ${then}`, await html());
  client.see("its address", page.url());
  log.see("the browser", (answer) => !answer.includes("favicon"));
}

async function browse(client, kind) {
  await visit(client, kind, "apples", "pears");
  // What was a fragment is a page now, and the other way round.
  await visit(client, kind, "pears", "apples");
  await visit(client, kind, "apples", "pears");
}

async function probes(client, kind) {
  const hx = { "HX-Request": "true", "HX-Current-URL": `${client.base}/${kind}/pears`, "HX-Target": "main" };
  await client.probe("a page", `/${kind}/plums`);
  await client.probe("a fragment", `/${kind}/plums`, { fields: hx });
  await client.probe("a page again", `/${kind}/plums`);
  await client.probe("a fragment again", `/${kind}/plums`, { fields: hx });
  await client.probe("fields for htmx", "/signal", { method: "POST", fields: hx });
}

export const flows = {
  "with Vary, in a browser": (client) => browse(client, "said"),
  "without Vary, in a browser": (client) => browse(client, "unsaid"),
  "with Vary, by hand": (client) => probes(client, "said"),
  "without Vary, by hand": (client) => probes(client, "unsaid"),
};
