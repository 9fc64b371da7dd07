import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** An account of this run. */
async function account(client) {
  const name = `user-${client.tag}-${Object.keys(accounts).length}`;
  accounts[name] = true;
  const response = await client.http(`/-/user/org.couchdb.user:${name}`, {
    method: "PUT",
    fields: { "Content-Type": "application/json", Accept: "application/json" },
    content: JSON.stringify({ name, password: "of-tests-alone", type: "user" }),
  });
  const { token } = response.json();
  if (!token) throw new Error(`no account: ${response.status} ${response.text()}`);
  client.hide(token, "TOKEN");
  client.hide(name, "USER");
  return token;
}
const accounts = {};

/** npm with a folder and settings of its own; with a token, if there is one. */
function npm(client, folder, token) {
  mkdirSync(folder, { recursive: true });
  const { host } = new URL(client.base);
  const settings = [`registry=${client.base}/`, "audit=false", "fund=false", "update-notifier=false", "fetch-retries=0"];
  if (token) settings.push(`//${host}/:_authToken=${token}`);
  const file = join(client.folder, `npmrc-${token ? "token" : "none"}`);
  writeFileSync(file, settings.join("\n"));
  const env = { npm_config_userconfig: file, npm_config_globalconfig: "/dev/null", npm_config_cache: join(folder, ".cache") };
  return (...args) => client.must("npm", args, { cwd: folder, env, patience: 60_000 });
}

function writePackage(folder, name, version) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name, version, main: "index.js", files: ["index.js"] }));
  writeFileSync(join(folder, "index.js"), `module.exports = "${version}";\n`);
}

/** Publishes two versions, and installs each: once there is a second one, it must be found at once. */
async function publishAndInstall(client, name, reads) {
  const token = await account(client);
  const source = join(client.folder, "source");
  for (const version of ["1.0.0", "1.1.0"]) {
    writePackage(source, name, version);
    await npm(client, source, token)("publish");
    const reader = reads ? token : undefined;
    for (const turn of [1, 2]) {
      // Another folder, and another cache of npm's own.
      const folder = join(client.folder, `install-${version}-${turn}`);
      mkdirSync(folder);
      writeFileSync(join(folder, "package.json"), JSON.stringify({ name: "reader", private: true }));
      await npm(client, folder, reader)("install", name);
      const lock = JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8"));
      const { version: got, resolved, integrity } = lock.packages[`node_modules/${name}`];
      client.see(`installed, version ${version}`, { got, resolved, integrity: integrity.slice(0, 6) });
      client.see(`files, version ${version}`, readdirSync(join(folder, "node_modules", name)).sort());
    }
    client.see("what the registry names as latest", (await npm(client, source, reader)("view", name, "version")).out.trim());
  }
}

const openPackage = (client) => publishAndInstall(client, `open-${client.tag}`, false);
const ownPackage = (client) => publishAndInstall(client, `@own/of-${client.tag}`, true);

async function strangers(client) {
  const token = await account(client);
  const name = `@own/secret-${client.tag}`;
  const source = join(client.folder, "source");
  writePackage(source, name, "1.0.0");
  await npm(client, source, token)("publish");
  const target = `/${encodeURIComponent(name).replace("%40", "@")}`;
  const shape = (text) => (text.includes("dist-tags") ? "the package" : text);
  // The names are this run's own, and so are the tags of what contains them.
  const except = ["etag"];
  await client.probe("with the token", target, { fields: { Authorization: `Bearer ${token}` }, body: shape, except });
  await client.probe("without it", target, { body: shape, except });
  await client.probe("who am I", "/-/whoami", { fields: { Authorization: `Bearer ${token}` }, except });
}

export const flows = {
  "publish and install, open": openPackage,
  "publish and install with a token": ownPackage,
  "a package that others may not read": strangers,
};
