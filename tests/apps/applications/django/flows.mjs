const GERMAN = { "Accept-Language": "de-DE,de;q=0.9" };
const ENGLISH = { "Accept-Language": "en-GB,en;q=0.9" };
const CODINGS = { "Accept-Encoding": "gzip, deflate, br" };

async function admin(client) {
  const { page, log } = await client.browse();
  const title = `A film of ${client.tag}`;
  await page.goto(`${client.base}/admin/`);
  client.see("sign-in page", await page.title());
  await page.getByLabel("Username").fill("admin");
  await page.getByLabel("Password").fill("of tests alone");
  await page.getByRole("button", { name: "Log in" }).click();
  await page.waitForLoadState("load");
  client.see("signed in", await page.title());
  await page.goto(`${client.base}/admin/shop/film/add/`);
  await page.getByLabel("Title").fill(title);
  await page.getByLabel("Year").fill("2026");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.waitForURL(/\/admin\/shop\/film\/$/);
  client.see("added", await page.locator(".messagelist").innerText());
  await page.goto(`${client.base}/admin/shop/film/?q=${encodeURIComponent(client.tag)}`);
  client.see("found", await page.locator("#result_list tbody tr").count());
  await page.getByRole("link", { name: title }).click();
  await page.getByLabel("Year").fill("2027");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.waitForURL(/\/admin\/shop\/film\/($|\?)/);
  client.see("changed", await page.locator(".messagelist").innerText());
  await page.goto(`${client.base}/admin/shop/film/?q=${encodeURIComponent(client.tag)}`);
  await page.getByRole("link", { name: title }).click();
  await page.getByRole("link", { name: "Delete" }).click();
  await page.getByRole("button", { name: /Yes/ }).click();
  await page.waitForURL(/\/admin\/shop\/film\/($|\?)/);
  client.see("deleted", await page.locator(".messagelist").innerText());
  await page.getByRole("button", { name: "Log out" }).click();
  await page.waitForLoadState("load");
  client.see("signed out", await page.title());
  // Addresses of films carry numbers that depend on how many there were.
  log.see("the browser", (answer) => !/film\/\d+/.test(answer));
}

async function formsAndMessages(client) {
  const { page, log } = await client.browse();
  await page.goto(`${client.base}/note/`);
  await page.getByLabel("Text").fill(`a note of ${client.tag}`);
  await page.getByRole("button").click();
  await page.waitForLoadState("load");
  client.see("after the form", await page.locator("body").innerText());
  await page.reload();
  client.see("after a reload", await page.locator("body").innerText());
  log.see("the browser");
  const other = await client.browse();
  await other.page.goto(`${client.base}/note/`);
  client.see("another visitor's messages", await other.page.locator(".message").count());
}

async function sessions(client) {
  const { page, log } = await client.browse();
  const basket = () => page.locator("#basket").innerText();
  await page.goto(`${client.base}/`);
  client.see("at first", await basket());
  await page.goto(`${client.base}/basket/`);
  client.see("address after a redirect", page.url());
  await page.goto(`${client.base}/?again`);
  client.see("with one", await basket());
  const other = await client.browse();
  await other.page.goto(`${client.base}/`);
  client.see("another visitor", await other.page.locator("#basket").innerText());
  client.see("style", await page.evaluate(() => getComputedStyle(document.querySelector("h1")).color));
  log.see("the browser");
}

async function publicPages(client) {
  for (const target of ["/", "/public/", "/film/3/", "/languages/", "/film/999/"]) {
    await client.probe(target, target, { fields: ENGLISH });
    await client.probe(`${target} with gzip`, target, { fields: { ...ENGLISH, ...CODINGS } });
    await client.probe(`${target} in German`, target, { fields: GERMAN });
  }
  const analytics = { ...ENGLISH, Cookie: "_ga=GA1.1.1.1; _ga_X=GS1.1.1" };
  await client.probe("with a cookie of analytics", "/public/", { fields: analytics });
  const session = (await client.http("/basket/")).cookies();
  await client.probe("with a session", "/public/", { fields: { ...ENGLISH, Cookie: session } });
  await client.probe("what the session shapes", "/", { fields: { ...ENGLISH, Cookie: session } });
  await client.probe("without it again", "/", { fields: ENGLISH });
}

async function staticFiles(client) {
  const { page } = await client.browse();
  const found = new Set();
  page.on("response", (response) => {
    const { pathname } = new URL(response.url());
    if (pathname.startsWith("/static/")) found.add(pathname);
  });
  await page.goto(`${client.base}/admin/login/`);
  await page.goto(`${client.base}/note/`);
  const files = [...found].sort();
  client.see("files", files);
  const shape = (text) => text.length;
  for (const file of files) {
    await client.probe(file, file, { fields: CODINGS, body: shape });
    const plain = await client.probe(`${file} plain`, file, { body: shape });
    const etag = plain.field("etag");
    if (etag) await client.probe(`${file} unchanged`, file, { fields: { "If-None-Match": etag } });
  }
  // A visitor who is signed in asks for them with a cookie.
  for (const file of files) await client.probe(`${file} with a cookie`, file, { fields: { Cookie: "sessionid=abc" }, body: shape });
}

export const flows = {
  "admin": admin,
  "forms, CSRF and messages": formsAndMessages,
  "sessions": sessions,
  "public pages": publicPages,
  "static files": staticFiles,
};
