// How slowly a stream may come, as `levee::body::Pace` says it. Only time in which somebody waits for it counts.

/** What a stream that is too slow breaks off with. */
export class TooSlow extends Error {
  constructor() {
    super("it came too slowly");
  }
}

/** The waits for one stream, and one timer for all of them. */
export class Pace {
  #idle;
  #rate;
  #slow;
  #timer;
  /** When the timer ends. */
  #due = 0;
  /** The wait that is under way began then. */
  #since;
  /** All waits that are over, in milliseconds. */
  #waited = 0;
  #bytes = 0;

  /**
   * `idle`: the longest wait for one chunk, in milliseconds. `rate`: the least bytes a second, on average, once the waits
   * together exceed `idle`; 0: any rate will do. `slow` is called when either is not kept, once.
   */
  constructor(idle, rate, slow) {
    this.#idle = idle;
    this.#rate = rate;
    this.#slow = slow;
  }

  /** The promise of the next chunk, whose wait is measured. */
  async over(promise) {
    this.#begin();
    try {
      return await promise;
    } finally {
      this.#waited += Date.now() - this.#since;
      this.#since = undefined;
    }
  }

  /** So many bytes came. */
  add(bytes) {
    this.#bytes += bytes;
  }

  /** Nothing is waited for any more. */
  stop() {
    clearTimeout(this.#timer);
    this.#slow = undefined;
  }

  #begin() {
    this.#since = Date.now();
    if (this.#slow === undefined) return;
    const left = this.#left();
    // A timer that ends sooner than it has to looks again then: nearly every chunk comes before, and costs no timer.
    if (this.#timer === undefined || this.#since + left < this.#due) this.#start(left);
  }

  #left() {
    const allowed = this.#rate > 0 ? Math.max((this.#bytes * 1000) / this.#rate, this.#idle) : Infinity;
    return Math.min(this.#idle, allowed - this.#waited) - (Date.now() - this.#since);
  }

  #start(left) {
    clearTimeout(this.#timer);
    this.#due = Date.now() + left;
    this.#timer = setTimeout(() => this.#look(), left);
  }

  #look() {
    this.#timer = undefined;
    if (this.#since === undefined || this.#slow === undefined) return;
    const left = this.#left();
    if (left > 0) return this.#start(left);
    const slow = this.#slow;
    this.#slow = undefined;
    slow(new TooSlow());
  }
}
