import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { ENVIRONMENT } from "./git.mjs";

const git = (client, cwd, ...args) => client.must("git", args, { cwd, env: ENVIRONMENT });
const url = (client) => `${client.base}/project.git`;

/** What a clone has. */
async function inspect(client, folder) {
  const ask = async (label, ...args) => client.see(label, (await git(client, folder, ...args)).out.trim());
  await ask("head", "rev-parse", "HEAD");
  await ask("commits", "rev-list", "--count", "HEAD");
  await ask("is shallow", "rev-parse", "--is-shallow-repository");
}

async function clone(client, ...options) {
  const folder = join(client.folder, "clone");
  await git(client, client.folder, "clone", "--quiet", ...options, url(client), folder);
  return folder;
}

async function whole(client) {
  const folder = await clone(client);
  await inspect(client, folder);
  client.see("a file", readFileSync(join(folder, "file-30.txt"), "utf8").length);
  client.see("fsck", (await git(client, folder, "fsck", "--full")).code);
}

async function shallow(client) {
  const folder = await clone(client, "--depth=1");
  await inspect(client, folder);
  await git(client, folder, "fetch", "--quiet", "--deepen=5");
  client.see("commits when deepened", (await git(client, folder, "rev-list", "--count", "HEAD")).out.trim());
}

async function partial(client) {
  // Without blobs: those that are needed are fetched when they are.
  const folder = await clone(client, "--filter=blob:none", "--no-checkout");
  const missing = async (label) => {
    const { out } = await git(client, folder, "rev-list", "--objects", "--all", "--missing=print");
    client.see(label, out.split("\n").filter((line) => line.startsWith("?")).length);
  };
  await missing("missing before the checkout");
  await git(client, folder, "checkout", "--quiet", "main");
  await missing("missing after the checkout");
}

async function oldProtocol(client) {
  for (const version of [0, 1, 2]) {
    const { out } = await git(client, client.folder, "-c", `protocol.version=${version}`, "ls-remote", url(client), "v1", "main");
    client.see(`refs by version ${version}`, out);
  }
  for (const version of ["version=2", "version=1", undefined]) {
    await client.probe(`advertisement, ${version}`, "/project.git/info/refs?service=git-upload-pack", {
      fields: version && { "Git-Protocol": version },
      body: (text) => text.split("\n").slice(0, 3),
    });
  }
}

async function push(client) {
  const folder = await clone(client);
  const branch = `work-${client.tag}`;
  await git(client, folder, "checkout", "--quiet", "-b", branch);
  // Above what git sends in one piece: it is sent in chunks.
  writeFileSync(join(folder, "large.bin"), Buffer.from(Array.from({ length: 3 << 20 }, (_, at) => (at * at * 31) >> 7)));
  await git(client, folder, "add", ".");
  await git(client, folder, "commit", "--quiet", "--message", "More");
  await git(client, folder, "push", "--quiet", "origin", branch);
  const { out } = await git(client, client.folder, "ls-remote", url(client), branch);
  client.see("pushed", out);
  client.see("is what was committed", out.startsWith((await git(client, folder, "rev-parse", "HEAD")).out.trim()));
  // What was pushed is there for the next clone, at once.
  const again = join(client.folder, "again");
  await git(client, client.folder, "clone", "--quiet", "--branch", branch, url(client), again);
  client.see("cloned again", readFileSync(join(again, "large.bin")).length);
}

export const flows = {
  "clone": whole,
  "shallow clone": shallow,
  "partial clone": partial,
  "each protocol version": oldProtocol,
  "push": push,
};
