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
  /** Counted, and of these not held yet. */
  #bytes = 0;
  #reserved = 0;
  #idle;
  #seen = Date.now();

  /** `idle`: how long it may go without a change, in milliseconds. */
  constructor(idle) {
    this.#idle = idle;
    all.add(this);
  }

  /**
   * Whether so many bytes may be held. `limit`: as many as one body may always hold. A body of known length reserves it, or else
   * many at once would all begin, and none would fit.
   */
  reserve(bytes, limit) {
    const most = Math.max(MOST, limit);
    if (total + bytes > most) forgetTheLost();
    if (total + bytes > most) return false;
    this.#seen = Date.now();
    this.#bytes += bytes;
    this.#reserved += bytes;
    total += bytes;
    return true;
  }

  /** Whether so many bytes more may be held, out of what is reserved or beyond. */
  add(bytes, limit) {
    if (bytes > this.#reserved && !this.reserve(bytes - this.#reserved, limit)) return false;
    this.#seen = Date.now();
    this.#reserved -= bytes;
    return true;
  }

  remove(bytes) {
    this.#seen = Date.now();
    // What has been forgotten is not counted any more.
    const counted = Math.min(bytes, this.#bytes);
    this.#bytes -= counted;
    total -= counted;
  }

  /** Nothing more is added. */
  settle() {
    this.remove(this.#reserved);
    this.#reserved = 0;
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
