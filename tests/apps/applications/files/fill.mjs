// nginx's configuration in a folder where it may write.

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [work, state, port] = process.argv.slice(2);
const text = readFileSync(join(work, "nginx.conf"), "utf8");
const user = process.getuid?.() === 0 ? "user root;\n" : "";
writeFileSync(
  join(state, "nginx.conf"),
  user + text.replaceAll("{{site}}", join(work, "site")).replaceAll("{{state}}", state).replaceAll("{{port}}", port),
);
