// What bodies on their way through this isolate hold in memory, all together: it has 128 MB for everything.

/** In bytes. */
const MOST = 16 << 20;
/** Beyond the longest wait of a body, in milliseconds: then nobody is left who works on it. */
const GRACE = 30_000;

/** Of all bodies. */
let total = 0;
/** @type {Set<Held>} */
const all = new Set();

/** The bytes that one body holds. */
export class Held {
  #bytes = 0;
  #idle;
  #seen = Date.now();

  /** `idle`: how long it may go without a change, in milliseconds. */
  constructor(idle) {
    this.#idle = idle;
    all.add(this);
  }

  /** Whether so many bytes more may be held. `limit`: as many as one body may always hold. */
  add(bytes, limit) {
    const most = Math.max(MOST, limit);
    if (total + bytes > most) forgetTheLost();
    if (total + bytes > most) return false;
    this.#seen = Date.now();
    this.#bytes += bytes;
    total += bytes;
    return true;
  }

  remove(bytes) {
    this.#seen = Date.now();
    // What has been forgotten is not counted any more.
    const counted = Math.min(bytes, this.#bytes);
    this.#bytes -= counted;
    total -= counted;
  }

  end() {
    this.remove(this.#bytes);
    all.delete(this);
  }

  get isLost() {
    return Date.now() - this.#seen > this.#idle + GRACE;
  }
}

/** The platform ends a request's work, without a word to it, when the client has left: its `end` is never called. */
function forgetTheLost() {
  for (const held of all) if (held.isLost) held.end();
}
