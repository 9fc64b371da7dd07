// Hits by the short way: one call with three numbers into the instance, and a Response out of parts that are ready. What only
// the data centre's cache or KV holds is read from here, so that the instance has nothing to wait for.
//
// What is kept here are plain values: bytes, and Responses without a body, whose status and fields the next one takes over.
// The instance says with every hit which of them is still right.

import { fields } from "./fields.mjs";
import * as local from "./local.mjs";
import { problem } from "./problem.mjs";

/** Pages and plans that are known at once; then all are forgotten, and those still in use are found again. */
const MOST = 4096;
/** Of one page: requests that differ in fields that matter, such as validators. */
const MOST_OF_A_PAGE = 64;
/** Longer URLs, and longer fields that matter, are read by the whole way. In characters. */
const LONGEST = 2048;
/** All URLs and fields that matter together; then all are forgotten. In characters, of each of which there are about four copies. */
const MOST_CHARACTERS = 1 << 20;

const NEVER = -1;
const MORE = -2;
const FAR = -3;
const NEAR = -4;
/** The handle of what is used once. */
const ONCE = 0;

/** Ordinary values that are remembered; then all are forgotten. */
const MOST_ORDINARY = 2048;
/** What Rust says of a field: it selects, it does not with this value, or with none. */
const SELECTS = 0;
const ORDINARY = 1;
const FREE = 2;

/** By kind of page: names of fields, and under each the values that select nothing, or FREE. */
const ordinary = new Map();
let ordinaries = 0;

function isOrdinary(name, value) {
  let names = ordinary.get(page.kind);
  if (names === undefined) ordinary.set(page.kind, (names = new Map()));
  let values = names.get(name);
  if (values === FREE || values?.has(value)) return true;
  const standing = asked.field(page.id, name, value);
  if (standing === SELECTS) return false;
  if (ordinaries >= MOST_ORDINARY) {
    ordinary.clear();
    cookies.clear();
    ordinaries = 0;
    return true;
  }
  ordinaries += 1;
  if (standing === FREE) names.set(name, FREE);
  else if (value.length <= LONGEST) {
    if (values === undefined) names.set(name, (values = new Set()));
    values.add(value);
  }
  return true;
}

/** By kind of page: lines of cookies without their values, and whether all of these are ignored. */
const cookies = new Map();
/** The value of a cookie, as far as no server ends it: what Rust finds in the rest is what it would find in the whole. */
const VALUE = /=[^;," \t]*/g;

/** Whether a line of cookies is nothing to answer by. It is another for each visitor, but of the same names. */
function isIgnored(line) {
  const named = line.replace(VALUE, "=");
  let lines = cookies.get(page.kind);
  if (lines === undefined) cookies.set(page.kind, (lines = new Map()));
  let ignored = lines.get(named);
  if (ignored === undefined) {
    ignored = asked.field(page.id, "cookie", named) === ORDINARY;
    if (ordinaries >= MOST_ORDINARY) {
      ordinary.clear();
      cookies.clear();
      ordinaries = 0;
    } else if (named.length <= LONGEST) {
      ordinaries += 1;
      lines.set(named, ignored);
    }
  }
  return ignored;
}

/** What is known of a URL: the names of the fields that matter, the plan without any of these, and those with some. */
class Page {
  plain = undefined;
  others = new Map();

  constructor(id, kind, names) {
    this.id = id;
    this.kind = kind;
    this.names = names;
  }
}

/** @type {Map<string, Page>} */
const pages = new Map();
const views = [];
/** By plan: the key in the stores, and the host's place in the data centre's cache. */
const stored = [];
let known = 0;
/** The characters of what is known. */
let characters = 0;
/** Since then plans mean something else. */
let epoch = 0;
let boundTo;

const namesOf = (edge, id) => new Set(edge.names(id).split(","));

/** Keeps an answer ready. */
export function show(handle, status, text, body) {
  const bytes = body === undefined ? views[handle].body : body;
  try {
    // Bodies are already in the coding that their fields name.
    const init = { status, headers: fields(text), encodeBody: "manual" };
    // As a Response it is taken over with less work than as an object; that pays from the second time on.
    views[handle] = { body: bytes, head: handle === ONCE ? init : new Response(null, init) };
  } catch (error) {
    views[handle] = { refused: `The answer ${status} cannot be passed on: ${error?.message ?? error}` };
  }
}

export function release(handle) {
  views[handle] = undefined;
}

/** After a new instance: it knows nothing of what the last one said. */
export function reset() {
  pages.clear();
  views.length = 0;
  stored.length = 0;
  known = 0;
  characters = 0;
  ordinary.clear();
  cookies.clear();
  ordinaries = 0;
  epoch += 1;
}

function forget(edge) {
  edge.forget();
  pages.clear();
  stored.length = 0;
  known = 0;
  characters = 0;
  ordinary.clear();
  cookies.clear();
  ordinaries = 0;
  epoch += 1;
}

const isFull = () => known >= MOST || characters >= MOST_CHARACTERS;

/** Remembers the URL of a request: the next one may go the short way. */
export function remember(edge, request, env) {
  if (request.method !== "GET") return;
  const { url } = request;
  if (url.length > LONGEST) return;
  if (isFull() || env !== boundTo) forget(edge);
  boundTo = env;
  if (pages.has(url)) return;
  const id = edge.page(url, env);
  if (id === undefined) return;
  known += 1;
  characters += url.length;
  pages.set(url, new Page(id, edge.kind(id), namesOf(edge, id)));
}

// What `visit` collects of a request's fields: a function made anew for each request would cost more.
let asked;
let page;
let names;
let lines;
let size;

function visit(value, name) {
  const matters = names.has(name) ? name !== "cookie" || !isIgnored(value) : !isOrdinary(name, value);
  if (matters) lines += `${name}:${value}\n`;
  // No character takes more than three bytes. Four more a line, as the limit counts.
  size += name.length + 3 * value.length + 4;
}

/**
 * The answer, or nothing where the request has to go the whole way, or what is to be read from the stores first.
 */
export function answer(edge, request, env) {
  page = pages.get(request.url);
  if (page === undefined || request.method !== "GET" || env !== boundTo) return undefined;
  // Content shapes the response. No field need tell of it: HTTP/2 frames it otherwise, and the platform may keep the fields.
  if (request.body !== null) return undefined;
  asked = edge;
  names = page.names;
  lines = "";
  size = 0;
  request.headers.forEach(visit);
  let plan = lines === "" ? page.plain : page.others.get(lines);
  if (plan === undefined) plan = planned(edge, page, lines);
  if (plan < 0) return plan === MORE ? more(edge, page) : undefined;
  const handle = edge.answer(plan, size, Date.now());
  if (handle >= 0) return respond(handle);
  if (handle === MORE) return more(edge, page);
  if (handle === NEAR) return new Stored(edge, plan, size, true);
  return handle === FAR && env.LEVEE_KV !== undefined ? new Stored(edge, plan, size, false) : undefined;
}

/** A request whose answer a store may hold. */
export class Stored {
  /** What has been read: bytes, or null where there are none; undefined where nothing was read. */
  near = undefined;
  far = undefined;

  constructor(edge, plan, size, asksNear) {
    this.plan = plan;
    this.size = size;
    this.asksNear = asksNear;
    this.epoch = epoch;
    this.at = stored[plan] ??= { key: edge.name(plan), place: edge.place(plan) };
  }

  get key() {
    return this.at.key;
  }

  /** What the near store has spares a read of KV, which is paid for: so that one is asked after the other. */
  readNear() {
    return local.get(this.at.place, this.at.key);
  }

  readFar(env) {
    return env.LEVEE_KV.get(this.at.key, "arrayBuffer");
  }

  /** The answer out of what was read, or nothing where the request has to go the whole way. */
  answer(edge, env, context) {
    // Another request may have made plans mean something else meanwhile.
    if (this.epoch !== epoch) return undefined;
    const isFar = !this.near;
    const value = isFar ? this.far : this.near;
    if (!value) return undefined;
    const handle = edge.found(this.plan, this.size, Date.now(), new Uint8Array(value), isFar, env, context);
    return handle < 0 ? undefined : respond(handle);
  }
}

function respond(handle) {
  const { body, head, refused } = views[handle];
  if (handle === ONCE) views[ONCE] = undefined;
  return refused === undefined ? new Response(body, head) : problem(refused);
}

function planned(edge, page, lines) {
  if (lines.length > LONGEST) return NEVER;
  if (isFull()) {
    forget(edge);
    return NEVER;
  }
  known += 1;
  characters += lines.length;
  const plan = edge.plan(page.id, lines);
  if (lines === "") {
    page.plain = plan;
  } else {
    if (page.others.size >= MOST_OF_A_PAGE) page.others.clear();
    page.others.set(lines, plan);
  }
  return plan;
}

/** The page's answers vary on fields that were not read: the next request's will be. */
function more(edge, page) {
  page.names = namesOf(edge, page.id);
  page.plain = undefined;
  page.others.clear();
  return undefined;
}
