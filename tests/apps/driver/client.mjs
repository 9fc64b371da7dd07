// What a flow is given: an address, clients that can be compared, and a place to say what was seen.

import { execFile } from "node:child_process";

import { openContext } from "./browser.mjs";
import { request } from "./http.mjs";

export class Client {
  /** Pairs of label and value, in order. */
  seen = [];
  #hidden = [];
  #closing = [];
  #labels = new Map();

  constructor({ base, origin, tag, folder }) {
    this.base = base;
    this.origin = origin;
    /** In names that this run makes up: another run finds none of them. */
    this.tag = tag;
    /** Where clients may write; empty at first. */
    this.folder = folder;
    this.#address(base, "HERE");
    if (origin !== base) this.#address(origin, "APPLICATION");
    this.hide(folder, "FOLDER");
    this.hide(tag, "TAG");
  }

  /** Says what was seen. The same label again gets a number. */
  see(label, value) {
    const count = (this.#labels.get(label) ?? 0) + 1;
    this.#labels.set(label, count);
    const text = typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
    this.seen.push([count === 1 ? label : `${label} (${count})`, this.plain(text)]);
  }

  /** A value that is another one in each run, such as a token: it is shown by this name. */
  hide(value, name) {
    if (!value) return;
    this.#hidden.push([value, name], [encodeURIComponent(value), name]);
    // What contains another goes first.
    this.#hidden.sort(([a], [b]) => b.length - a.length);
  }

  /** Some put the address into the name of a cookie. */
  #address(url, name) {
    const { host } = new URL(url);
    this.hide(url, name);
    this.hide(host, name);
    this.hide(host.replaceAll(/[.:]/g, "-"), name);
  }

  /** A text without addresses and secrets. */
  plain(text) {
    let plain = text;
    for (const [value, name] of this.#hidden) plain = plain.replaceAll(value, name);
    return plain;
  }

  /** Sends one request, byte for byte as it is written; sees nothing by itself. */
  async http(target, options) {
    const response = await request(this.base, target, options);
    // For the log: why it was a hit or not.
    const why = response.field("cache-status") ?? "";
    console.error(this.plain(`${options?.method ?? "GET"} ${target}: ${response.status} ${why}`));
    return response;
  }

  /**
   * Sends one request and sees its response: status, fields, body. `body`: makes of the text (and the whole response) what can be compared.
   * `except`: fields that differ from one run to the next also directly.
   */
  async probe(label, target, { body: shape = (text) => text, except = [], ...options } = {}) {
    const response = await this.http(target, options);
    this.see(`${label}: status`, String(response.status));
    this.see(`${label}: fields`, response.compared(except));
    this.see(`${label}: body`, shape(response.text(), response));
    return response;
  }

  /** A page of a browser of its own: nothing is in its cache. */
  async browse(options) {
    const { page, context, log } = await openContext(this, options);
    this.#closing.push(() => context.close());
    return { page, context, log };
  }

  /** Runs a program of the machine. Never throws: `{ code, out, err }`. */
  run(program, args, { cwd = this.folder, env = {}, patience = 60_000 } = {}) {
    return new Promise((resolve) => {
      const options = { cwd, env: { ...process.env, ...env }, timeout: patience, maxBuffer: 64 << 20 };
      execFile(program, args, options, (error, out, err) => {
        if (error) console.error(program, args, error.code, err);
        resolve({ code: error ? (error.code ?? "killed") : 0, out, err });
      });
    });
  }

  /** As `run`, and throws what the program said if it failed. */
  async must(program, args, options) {
    const done = await this.run(program, args, options);
    if (done.code === 0) return done;
    const why = done.err.split("\n").find((line) => /error|fatal|ERR/.test(line)) ?? done.err.trim();
    throw new Error(`${program} ${args[0]}: ${why || done.code}`);
  }

  /** Calls this at the end of the flow. */
  finally(close) {
    this.#closing.push(close);
  }

  async close() {
    for (const close of this.#closing.reverse()) {
      try {
        await close();
      } catch (error) {
        console.error("closing:", error);
      }
    }
  }
}
