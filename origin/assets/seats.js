// The seat map: keeps itself up to date, adds up the choice, and follows the arrow keys.
// Without this script the same form works; it is only as old as the page.

const PERIOD_MS = 2000;
const SLOWEST_MS = 30000;

const form = document.querySelector("form[data-seats]");
const choice = form.querySelector("[data-choice]");
const live = form.querySelector("[data-live]");
const available = form.querySelector("[data-available]");
const boxes = [...form.querySelectorAll("input.seat")];
const most = Number(form.dataset.most);
const cents = Number(form.dataset.cents);
const closed = form.querySelector("fieldset").disabled;

/** "€12.50" and "CHF 18.00" with another number in them. */
function price(count) {
  return form.dataset.price.replace(/[\d.,]+$/, ((cents * count) / 100).toFixed(2));
}

function chosen() {
  return boxes.filter((box) => box.checked && !box.disabled);
}

function say(lost = []) {
  const seats = chosen().map((box) => box.value);
  const gone = lost.length ? `${lost.join(", ")} was just sold to somebody else. ` : "";
  choice.textContent = seats.length
    ? `${gone}${seats.join(", ")}: ${price(seats.length)}`
    : `${gone}Pick up to ${most} seats.`;
}

form.addEventListener("change", (event) => {
  if (chosen().length > most) {
    event.target.checked = false;
    choice.textContent = `At most ${most} seats can be bought at once.`;
    return;
  }
  say();
});

form.addEventListener("submit", (event) => {
  if (chosen().length) return;
  event.preventDefault();
  choice.textContent = "Choose at least one seat.";
  boxes.find((box) => !box.disabled)?.focus();
});

// Arrow keys go to the next free seat: along the row, or to the nearest one in the next rows.
form.addEventListener("keydown", (event) => {
  const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  const from = event.target;
  if (!step || !from.matches("input.seat")) return;
  event.preventDefault();
  const at = (box) => {
    const { left, top, width } = box.getBoundingClientRect();
    return { x: left + width / 2, y: top };
  };
  const here = at(from);
  const [dx, dy] = step;
  let best;
  for (const box of boxes) {
    if (box.disabled || box === from) continue;
    const there = at(box);
    const x = (there.x - here.x) * (dx || 1);
    const y = (there.y - here.y) * (dy || 1);
    const ahead = dx ? Math.abs(y) < 2 && x > 2 : y > 2;
    if (!ahead) continue;
    const far = dx ? x : y * 100 + Math.abs(x);
    if (!best || far < best.far) best = { far, box };
  }
  best?.box.focus();
});

function apply(map) {
  const taken = new Set(map.rows.flatMap((row) => row.taken.map((number) => row.row + number)));
  const lost = [];
  for (const box of boxes) {
    const gone = taken.has(box.value);
    if (gone && box.checked) {
      lost.push(box.value);
      box.checked = false;
    }
    if (box.disabled !== gone) box.disabled = gone;
  }
  available.textContent = map.available;
  if (lost.length) say(lost);
}

const OLDER = {
  "stale-while-revalidate": ", a newer one is on its way",
  "stale-if-error": ", the origin cannot answer",
};

/** Of when this look at the map is and what the edge did for it, as its Server-Timing says. */
function look(response) {
  const timing = response.headers.get("server-timing") ?? "";
  const fact = (pattern) => new RegExp(`(?:^|[,\\s])${pattern}`).exec(timing)?.[1];
  const state = fact('cache;desc="?(\\w+)');
  const why = fact('why;desc="?([\\w-]+)');
  const age = Number(fact("age;dur=([\\d.]+)") ?? 0);
  const time = new Date(Date.now() - age).toLocaleTimeString();
  return `Seat map of ${time}${state ? `, ${state.toUpperCase()} at the edge` : ""}${OLDER[why] ?? ""}`;
}

let tag;
let wait = PERIOD_MS;
let timer;

async function refresh() {
  clearTimeout(timer);
  if (document.hidden) return;
  try {
    const response = await fetch(form.dataset.seats, {
      headers: tag ? { "If-None-Match": tag } : {},
      cache: "no-store",
      signal: AbortSignal.timeout(10000),
    });
    if (response.status === 200) {
      apply(await response.json());
      tag = response.headers.get("etag");
    } else if (response.status !== 304) {
      throw new Error(`status ${response.status}`);
    }
    wait = PERIOD_MS;
    live.textContent = look(response);
  } catch {
    // The server is busy or away: ask less often, and a little differently in every browser.
    wait = Math.min(wait * 2, SLOWEST_MS);
    live.textContent = "The seat map cannot be refreshed at the moment; what you see may be old.";
  }
  timer = setTimeout(refresh, wait * (0.9 + Math.random() * 0.2));
}

if (!closed) {
  document.addEventListener("visibilitychange", refresh);
  addEventListener("pageshow", () => {
    say();
    refresh();
  });
}
