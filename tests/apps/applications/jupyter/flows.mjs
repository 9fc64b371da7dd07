const TOKEN = "of-tests-alone";
const SIGNED_IN = { Authorization: `token ${TOKEN}` };

/** Its pages are large, and a kernel takes its time to start. */
const PATIENCE = 90_000;

/** A browser that has shown the token once, and has a cookie from then on. */
async function signIn(client) {
  const { page, log } = await client.browse({ viewport: { width: 1280, height: 900 } });
  page.setDefaultTimeout(PATIENCE);
  await page.goto(`${client.base}/login`);
  await page.locator("#password_input").fill(TOKEN);
  const answered = page.waitForResponse((response) => response.request().method() === "POST");
  await page.locator("#login_submit").click();
  const answer = await answered;
  const where = (await answer.allHeaders()).location ?? "nowhere";
  client.see("signed in", [answer.status(), where]);
  if (answer.status() >= 400) throw new Error(`signing in is ${answer.status()} and leads ${client.plain(where)}`);
  await page.waitForURL(/\/lab/);
  return { page, log };
}

async function notebook(client) {
  const { page, log } = await signIn(client);
  await page.goto(`${client.base}/lab/tree/sums.ipynb?reset`);
  const notebook = page.locator(".jp-Notebook");
  await notebook.waitFor();
  // The kernel is connected when the status bar says that it is idle.
  await page.locator("#jp-main-statusbar", { hasText: "| Idle" }).waitFor();
  await page.getByRole("menuitem", { name: "Run", exact: true }).click();
  await page.getByRole("menuitem", { name: "Run All Cells", exact: true }).click();
  await page.locator(".jp-OutputArea-output", { hasText: "line 2" }).waitFor();
  client.see("output", await page.locator(".jp-OutputArea-output").allInnerTexts());
  log.see("the browser", (answer) => answer.startsWith("websocket") && !/kernels|lsp/.test(answer));
}
notebook.patience = 3 * PATIENCE;

async function kernel(client) {
  const started = await client.http("/api/kernels", { method: "POST", fields: SIGNED_IN, content: '{"name":"python3"}' });
  client.see("started", started.status);
  const { id } = started.json();
  client.finally(() => client.http(`/api/kernels/${id}`, { method: "DELETE", fields: SIGNED_IN }));
  // In a browser, because it says where it comes from, and Jupyter looks at that.
  const { page } = await signIn(client);
  const run = (id) =>
    new Promise((resolve, reject) => {
      const socket = new WebSocket(`ws://${location.host}/api/kernels/${id}/channels?session_id=tests`);
      const header = { msg_id: "one", msg_type: "execute_request", username: "", session: "tests", version: "5.3", date: "2026-01-01T00:00:00Z" };
      const content = { code: "print('a' * 100000)\n6 * 7", silent: false, store_history: true, user_expressions: {}, allow_stdin: false };
      // In this order, whichever comes first.
      const seen = { printed: 0, result: undefined, status: undefined };
      // The reply and what is printed come by different ways; idle comes last on the latter.
      let idle = false;
      socket.onerror = () => reject(new Error("the WebSocket failed"));
      socket.onopen = () => socket.send(JSON.stringify({ header, parent_header: {}, metadata: {}, content, channel: "shell", buffers: [] }));
      socket.onmessage = ({ data }) => {
        const { header, content, parent_header: parent } = JSON.parse(data);
        if (parent.msg_id !== "one") return;
        if (header.msg_type === "stream") seen.printed += content.text.length;
        if (header.msg_type === "execute_result") seen.result = content.data["text/plain"];
        if (header.msg_type === "execute_reply") seen.status = content.status;
        if (header.msg_type === "status") idle = content.execution_state === "idle";
        if (seen.status && idle) {
          socket.close();
          resolve(seen);
        }
      };
    });
  client.see("run", await page.evaluate(run, id));
}
kernel.patience = 2 * PATIENCE;

async function contents(client) {
  const file = `/api/contents/of-${client.tag}.txt`;
  const shape = (text) => {
    const { created, last_modified, hash, ...rest } = JSON.parse(text);
    return JSON.stringify(rest);
  };
  const options = { fields: { ...SIGNED_IN, "Content-Type": "application/json" }, body: shape, except: ["etag", "last-modified"] };
  const model = { type: "file", format: "text", content: "first" };
  await client.probe("saved", file, { ...options, method: "PUT", content: JSON.stringify(model) });
  await client.probe("read", file, options);
  await client.probe("saved again", file, { ...options, method: "PUT", content: JSON.stringify({ ...model, content: "second" }) });
  await client.probe("read again", file, options);
  await client.probe("removed", file, { ...options, method: "DELETE", body: (text) => text });
  await client.probe("without the token", "/api/contents/sums.ipynb", { body: (text) => text });
}

async function files(client) {
  const { page } = await client.browse();
  const found = new Set();
  page.on("response", (response) => {
    const { pathname, search } = new URL(response.url());
    if (/\/static\/|favicon|\.css$/.test(pathname)) found.add(pathname + search);
  });
  await page.goto(`${client.base}/login`);
  await page.waitForLoadState("networkidle");
  client.see("files", [...found].sort());
  for (const file of [...found].sort()) {
    await client.probe(file, file, { body: (text) => text.length });
  }
}

export const flows = {
  "sign in and run a notebook": notebook,
  "a kernel by WebSocket": kernel,
  "files by the API": contents,
  "static files": files,
};
