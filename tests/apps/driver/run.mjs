// Plays an application's clients. A line on stdin names a flow and an address; a line on stdout says what was seen.
//
//     node run.mjs FLOWS.mjs

import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

import { closeBrowser } from "./browser.mjs";
import { Client } from "./client.mjs";

/** For one flow; a flow that needs longer says so: `flow.patience = …`. */
const PATIENCE = 60_000;

// Only answers may be on stdout: what clients print goes to the log.
const answer = process.stdout.write.bind(process.stdout);
console.log = console.error;

const { flows } = await import(pathToFileURL(process.argv[2]));

/** A flow that takes over ten seconds says so: `flow.slow = true`. */
const listed = () => Object.entries(flows).map(([name, flow]) => ({ name, slow: flow.slow === true }));

async function run({ flow, base, origin, tag, folder }) {
  const client = new Client({ base, origin, tag, folder });
  const patience = flows[flow].patience ?? PATIENCE;
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${patience / 1000} s`)), patience);
  });
  let failed = null;
  try {
    await Promise.race([flows[flow](client), late]);
  } catch (error) {
    console.error(flow, base, error);
    failed = client.plain(error?.message ?? String(error)).split("\n")[0];
  } finally {
    clearTimeout(timer);
    await client.close();
  }
  return { seen: client.seen, failed };
}

// A client library that fails outside of its flow's promise must not end the driver; the flow is late then.
process.on("unhandledRejection", (error) => console.error("unhandled:", error));

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  const said = asked.list ? { flows: listed() } : await run(asked);
  answer(`${JSON.stringify(said)}\n`);
}
await closeBrowser();
process.exit(0);
