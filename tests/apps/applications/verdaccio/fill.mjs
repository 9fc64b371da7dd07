// A registry without another behind it: reading packages that are not private needs no account, all else does.

import { writeFileSync } from "node:fs";
import { join } from "node:path";

const state = process.argv[2];
writeFileSync(
  join(state, "config.yaml"),
  `storage: ${state}/storage
auth:
  htpasswd:
    file: ${state}/htpasswd
    algorithm: bcrypt
    rounds: 4
packages:
  "@own/*":
    access: $authenticated
    publish: $authenticated
  "**":
    access: $all
    publish: $authenticated
web:
  enable: true
log: { type: stdout, format: pretty, level: warn }
`,
);
