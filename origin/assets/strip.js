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

/** Milliseconds as people say them. */
function span(ms) {
  if (ms < 1) return "less than 1 ms";
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 120000) return `${+(ms / 1000).toFixed(ms < 10000 ? 1 : 0)} s`;
  if (ms < 7200000) return `${Math.round(ms / 60000)} min`;
  return `${Math.round(ms / 3600000)} h`;
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
    tier: by.get("tier")?.description,
    age: ms("age"),
    saved: ms("saved"),
    origin: ms("origin"),
  };
}

const WORDS = {
  hit({ tier, age, saved }) {
    const place = tier ? (PLACES[tier] ?? `the edge's ${tier}`) : "the edge";
    const stored = age === undefined ? "" : `, stored ${ago(age)}`;
    const took = saved === undefined ? "" : ` (it took ${span(saved)} when it was)`;
    return `this page came from ${place}${stored}. The origin was not asked${took}.`;
  },
  stale({ age }) {
    const stored = age === undefined ? "" : `, stored ${ago(age)}`;
    return `you got an older copy at once${stored}. The edge fetches a new one behind it, or the origin cannot be reached.`;
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
opener.setAttribute("aria-label", `Show what the edge did: ${word}`);

function show(open) {
  strip.hidden = !open;
  opener.hidden = open;
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
