// The edge at work: says in words what happened to this page on its way here.
// The edge writes it into Server-Timing; the browser hands it to us with the navigation.

const CLOSED = "levee-strip-closed";

const PLACES = {
  memory: "the edge's memory",
  local: "the cache of this data centre",
  shield: "the edge's shield",
  kv: "the store that the whole edge shares",
  sqlite: "the edge's disk",
  disk: "the edge's disk",
};

/** Milliseconds as people say them; no line breaks between number and unit. */
function span(ms) {
  if (ms < 1) return "less than 1\u00a0ms";
  if (ms < 1000) return `${Math.round(ms)}\u00a0ms`;
  if (ms < 120000) return `${+(ms / 1000).toFixed(ms < 10000 ? 1 : 0)}\u00a0s`;
  if (ms < 7200000) return `${Math.round(ms / 60000)}\u00a0min`;
  return `${Math.round(ms / 3600000)}\u00a0h`;
}

function ago(ms) {
  return ms < 1000 ? "less than a second ago" : `${span(ms).replace(/\.\d+/, "")} ago`;
}

/** The entries of one Server-Timing field, by name. */
function facts(entries) {
  const by = new Map(entries.map((entry) => [entry.name, entry]));
  const ms = (name) => by.get(name)?.duration;
  return {
    cache: by.get("cache")?.description.toLowerCase(),
    why: by.get("why")?.description,
    tier: by.get("tier")?.description,
    age: ms("age"),
    saved: ms("saved"),
    origin: ms("origin"),
  };
}

/** Why a copy was served that was past its time. */
const REASONS = {
  "stale-while-revalidate": "You did not wait for the origin: the edge fetches a newer one meanwhile.",
  "stale-if-error": "The origin could not answer just now, so the edge shows what it still has.",
  "max-stale": "Your browser had said that an old one will do.",
};

const WORDS = {
  hit({ tier, age, saved }) {
    const place = tier ? (PLACES[tier] ?? `the edge's ${tier}`) : "the edge";
    const stored = age === undefined ? "" : `, stored ${ago(age)}`;
    const took = saved === undefined ? "" : ` (it took ${span(saved)} when it was)`;
    return `this page came from ${place}${stored}. The origin was not asked${took}.`;
  },
  stale({ why, age }) {
    const stored = age === undefined ? "" : `, stored ${ago(age)}`;
    return `you got an older copy${stored}. ${REASONS[why] ?? "It was past its time."}`;
  },
  revalidated({ origin }) {
    const took = origin === undefined ? "" : `, in ${span(origin)}`;
    return `the edge asked the origin whether its copy still holds${took}. It does, so the page itself was not made again.`;
  },
  miss({ origin }) {
    const took = origin === undefined ? "" : `, which took ${span(origin)}`;
    return `the edge had no copy and asked the origin${took}. Reload, and you may get the copy that it kept.`;
  },
  pass({ origin }) {
    const took = origin === undefined ? "" : ` It took ${span(origin)}.`;
    return `this page is for you alone, or must not be kept: the edge passed it on and has no copy.${took}`;
  },
  error() {
    return "the edge could not get this page from the origin.";
  },
};

/** State, word and sentence for one navigation. */
function describe(navigation) {
  const found = facts([...(navigation?.serverTiming ?? [])]);
  if (!WORDS[found.cache]) {
    return { state: "none", word: "NO EDGE", text: "this page came straight from the origin, without an edge before it." };
  }
  // Nothing came over the network: what is said about the edge is of an earlier visit.
  if (navigation.deliveryType === "cache" && navigation.transferSize === 0) {
    return { state: "hit", word: "HIT", text: "your own browser still had this page, so nobody was asked. Reload to ask the edge." };
  }
  const word = found.cache.toUpperCase();
  return { state: found.cache, word, text: WORDS[found.cache](found) };
}

function remember(closed) {
  try {
    if (closed) localStorage.setItem(CLOSED, "1");
    else localStorage.removeItem(CLOSED);
  } catch {
    // Storage may be forbidden; then the strip is simply back on the next page.
  }
}

function wasClosed() {
  try {
    return localStorage.getItem(CLOSED) === "1";
  } catch {
    return false;
  }
}

const strip = document.querySelector("[data-levee-strip]");
const opener = document.querySelector("[data-levee-open]");
const { state, word, text } = describe(performance.getEntriesByType("navigation")[0]);

strip.dataset.cache = state;
opener.dataset.cache = state;
strip.querySelector("[data-levee-word]").textContent = word;
strip.querySelector("[data-levee-text]").textContent = text;
opener.textContent = `Edge: ${word}`;
opener.setAttribute("aria-label", `Edge: ${word}, show what it did`);

/** Tells the style sheet how much of the window's foot is covered, for what is pinned above it. */
function measure() {
  const covered = strip.hidden
    ? opener.offsetHeight + parseFloat(getComputedStyle(opener).bottom)
    : strip.offsetHeight;
  document.documentElement.style.setProperty("--strip-height", `${covered}px`);
}

function show(open) {
  strip.hidden = !open;
  opener.hidden = open;
  measure();
}

strip.querySelector("[data-levee-close]").addEventListener("click", () => {
  remember(true);
  show(false);
  opener.focus();
});
opener.addEventListener("click", () => {
  remember(false);
  show(true);
  strip.querySelector("[data-levee-close]").focus();
});
show(!wasClosed());
// Its words wrap differently when the window or the font changes.
new ResizeObserver(measure).observe(strip);
