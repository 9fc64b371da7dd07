// `git http-backend` as a CGI program (RFC 3875), with what a web server tells it.

import { spawn } from "node:child_process";
import { createServer } from "node:http";

import { ENVIRONMENT } from "./git.mjs";

function answer(request, response) {
  const [path, query = ""] = request.url.split("?");
  const fields = Object.entries(request.headers).map(([name, value]) => [
    `HTTP_${name.toUpperCase().replaceAll("-", "_")}`,
    String(value),
  ]);
  const backend = spawn("git", ["http-backend"], {
    env: {
      PATH: process.env.PATH,
      ...ENVIRONMENT,
      ...Object.fromEntries(fields),
      GIT_PROJECT_ROOT: process.env.STATE,
      GIT_HTTP_EXPORT_ALL: "1",
      GIT_PROTOCOL: request.headers["git-protocol"] ?? "",
      GATEWAY_INTERFACE: "CGI/1.1",
      REQUEST_METHOD: request.method,
      PATH_INFO: decodeURIComponent(path),
      QUERY_STRING: query,
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      CONTENT_LENGTH: request.headers["content-length"] ?? "",
      REMOTE_ADDR: "127.0.0.1",
    },
    stdio: ["pipe", "pipe", "inherit"],
  });
  request.pipe(backend.stdin);
  // A backend that refuses does not read to the end.
  backend.stdin.on("error", () => request.resume());
  backend.on("error", () => response.writeHead(500).end());
  let head = Buffer.alloc(0);
  backend.stdout.on("data", function first(chunk) {
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) return;
    backend.stdout.off("data", first);
    let status = 200;
    for (const line of head.subarray(0, end).toString("latin1").split("\r\n")) {
      const [name, value] = [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim()];
      if (name.toLowerCase() === "status") status = Number.parseInt(value, 10);
      else response.appendHeader(name, value);
    }
    response.writeHead(status);
    response.write(head.subarray(end + 4));
    backend.stdout.pipe(response);
  });
}

createServer(answer).listen(Number(process.env.PORT), "127.0.0.1");
