// A bare repository with a history of 30 commits, in STATE/project.git; it takes pushes.

import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { ENVIRONMENT } from "./git.mjs";

const state = process.argv[2];
const work = join(state, "work");
const git = (...args) => execFileSync("git", args, { cwd: work, env: { ...process.env, ...ENVIRONMENT }, stdio: "pipe" });

mkdirSync(work);
git("init", "--quiet", "--initial-branch=main");
for (let at = 1; at <= 30; at++) {
  writeFileSync(join(work, `file-${at}.txt`), `line of ${at}\n`.repeat(at * 100));
  git("add", ".");
  git("commit", "--quiet", "--message", `Commit ${at}`);
}
git("tag", "v1");
execFileSync("git", ["clone", "--quiet", "--bare", work, join(state, "project.git")], { stdio: "pipe" });
for (const setting of ["http.receivepack", "uploadpack.allowFilter"]) {
  execFileSync("git", ["-C", join(state, "project.git"), "config", setting, "true"]);
}
rmSync(work, { recursive: true });
