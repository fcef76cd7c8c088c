// What makes the pages quick: times on the reader's clock, keys, acts without a new page, new mail as it comes.
// Everything it does can be done without it.

const body = document.body;
const prefix = body.dataset.prefix;
const say = (name) => document.getElementById("texts")?.dataset[name] ?? "";

function localTimes(root) {
  const now = new Date();
  const page = document.documentElement.lang;
  const language = navigator.language.startsWith(page) ? navigator.language : page;
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    const clock = { hour: "2-digit", minute: "2-digit" };
    const today = at.toDateString() === now.toDateString();
    const options = "long" in time.dataset
      ? { dateStyle: "medium", timeStyle: "short" }
      : today ? clock : at.getFullYear() === now.getFullYear()
        ? { day: "2-digit", month: "2-digit", ...clock } : { dateStyle: "short" };
    time.textContent = new Intl.DateTimeFormat(language, options).format(at);
    time.title = at.toLocaleString(language);
  }
}

async function act(id, what) {
  const answer = await fetch(`${prefix}/api/v1/messages/${encodeURIComponent(id)}/${what}`, {
    method: "POST",
    headers: { "X-CSRF-Token": body.dataset.csrf, "Content-Type": "application/json" },
    body: "{}",
  });
  const said = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(said.detail || said.title || answer.statusText);
  return said;
}

let hiding = 0;
function toast(text) {
  const place = document.getElementById("said");
  if (!place) return;
  place.textContent = text;
  place.hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => { place.hidden = true; }, 8000);
}

// The list.

const rows = document.getElementById("rows");
let at = null;
const deleted = [];

function goTo(row) {
  if (!row) return;
  at?.classList.remove("at");
  at = row;
  at.classList.add("at");
  at.scrollIntoView({ block: "nearest" });
  at.querySelector("a.open")?.focus({ preventScroll: true });
}

function neighbour(step) {
  const all = [...rows.querySelectorAll("tr:not(.gone)")];
  if (!all.length) return null;
  const here = all.indexOf(at);
  return all[Math.min(all.length - 1, Math.max(0, here < 0 ? 0 : here + step))];
}

function chosen() {
  const ticked = [...rows.querySelectorAll(".pick input:checked")].map((box) => box.closest("tr"));
  return ticked.length ? ticked : at ? [at] : [];
}

function show(row, state) {
  const tag = row.querySelector(".state .tag");
  if (!tag || !state) return;
  tag.className = `tag ${state}`;
  tag.textContent = say(state) || state;
}

async function actOnChosen(what) {
  const wanted = chosen().filter((row) => row.hasAttribute(`data-${what}`));
  if (wanted.some((row) => row.dataset.campaign)) {
    // Behind such a line stand several: their number is asked about first, on a page of its own.
    for (const row of wanted) row.querySelector(".pick input").checked = true;
    document.querySelector(`#list button[name=act][value=${what}]`)?.click();
    return;
  }
  const next = neighbour(1);
  let done = 0;
  for (const row of wanted) {
    try {
      const said = await act(row.dataset.id, what);
      show(row, said.state);
      const box = row.querySelector("input[name=id]");
      if (box) box.checked = false;
      if (!said.ok) {
        toast(said.results.map((one) => one.words).join(" ") || said.problem);
        continue;
      }
      done += 1;
      row.classList.add("gone");
      if (what === "delete") deleted.push(row);
    } catch (error) {
      toast(error.message);
    }
  }
  if (done) {
    toast(`${say(what)}: ${done}`);
    if (next && wanted.includes(at)) goTo(next === at ? neighbour(-1) : next);
  }
}

async function undo() {
  const row = deleted.pop();
  if (!row) return;
  try {
    show(row, (await act(row.dataset.id, "undelete")).state);
    row.classList.remove("gone");
    goTo(row);
    toast(say("undone"));
  } catch (error) {
    toast(error.message);
  }
}

const onList = {
  j: () => goTo(neighbour(1)),
  k: () => goTo(neighbour(-1)),
  o: () => at?.querySelector("a.open")?.click(),
  x: () => at?.querySelector(".pick input")?.click(),
  r: () => actOnChosen("release"),
  d: () => actOnChosen("delete"),
  u: undo,
  "?": () => document.getElementById("keys")?.showModal(),
};
const onMessage = {
  r: () => document.querySelector('form[action$="/release"] button')?.click(),
  d: () => document.querySelector('form[action$="/delete"] button')?.click(),
  u: () => document.querySelector('form[action$="/undelete"] button')?.click(),
};

addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input:not([type=checkbox]), textarea, select, dialog[open]");
  if (event.ctrlKey || event.metaKey || event.altKey || typing) {
    if (event.key === "Escape") event.target.blur?.();
    return;
  }
  const search = document.getElementById("q");
  const wanted = event.key === "/" && search ? () => search.focus()
    : rows ? onList[event.key] : document.querySelector(".acts") ? onMessage[event.key] : null;
  if (!wanted) return;
  event.preventDefault();
  wanted();
});

// New mail, as it comes. Only at the top of the list, and only while somebody looks.

const PAUSE_MS = 3000;
const list = document.querySelector("[data-newest]");

function place(row) {
  const [moment, tag, ...id] = row.dataset.cursor.split("-");
  return [Number(moment), id.join("-"), Number(tag)];
}

function isNewer(row, other) {
  const [mine, its] = [place(row), place(other)];
  const differs = mine.findIndex((part, number) => part !== its[number]);
  return differs >= 0 && mine[differs] > its[differs];
}

// Puts a line where it belongs; false when that has to wait: a tick is not to stand for more than was seen.
function merge(row) {
  const named = rows.querySelector(`tr[data-id="${CSS.escape(row.dataset.id)}"]`);
  // What was released or deleted here stays what it is: the server may not have known of it yet.
  if (named && (named.classList.contains("gone") || named.dataset.members === row.dataset.members)) return true;
  const old = named ?? rows.querySelector(`tr[data-line="${CSS.escape(row.dataset.line)}"]:not(.gone)`);
  if (old?.querySelector(".pick input")?.checked) return false;
  const focused = old?.contains(document.activeElement);
  old?.remove();
  row.classList.add("fresh");
  rows.insertBefore(row, [...rows.children].find((other) => !isNewer(other, row)) ?? null);
  if (old && old === at) {
    at = row;
    row.classList.add("at");
  }
  if (focused) row.querySelector("a.open")?.focus({ preventScroll: true });
  return true;
}

async function lookForNews() {
  if (document.hidden) return;
  const where = new URLSearchParams(location.search);
  where.set("newer", list.dataset.newest);
  const answer = await fetch(`${prefix}/mail/fresh?${where}`);
  if (answer.redirected || (answer.status === 200 && !rows)) return location.reload();
  if (answer.status !== 200) return;
  const holder = document.createElement("table");
  holder.innerHTML = await answer.text();
  localTimes(holder);
  const merged = [...holder.querySelectorAll("tr")].map(merge);
  if (merged.every(Boolean)) list.dataset.newest = holder.tBodies[0].dataset.newest;
}

// A slider beside each level that is tried; the table follows it.

const whatif = document.querySelector("form.whatif");
let asked = 0;
async function tryLevels() {
  const mine = ++asked;
  const answer = await fetch(`${whatif.action.split("#")[0]}?${new URLSearchParams(new FormData(whatif))}`);
  if (mine !== asked || answer.status !== 200) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const found = page.getElementById("tried");
  if (found) document.getElementById("tried").replaceChildren(...found.childNodes);
}
if (whatif) {
  let pause;
  for (const number of whatif.querySelectorAll("input[type=number]")) {
    const slider = document.createElement("input");
    Object.assign(slider, { type: "range", min: -2, max: 20, step: 0.1, value: number.value });
    slider.setAttribute("aria-label", number.closest("label").textContent.trim());
    slider.addEventListener("input", () => {
      number.value = slider.value;
      clearTimeout(pause);
      pause = setTimeout(tryLevels, 150);
    });
    number.addEventListener("input", () => { slider.value = number.value; });
    number.after(slider);
  }
}

// On a telephone the bar is wider than the window.
document.querySelector(".bar nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

localTimes(document);
if (list?.dataset.newest) {
  const loop = async () => {
    try { await lookForNews(); } catch { /* the server is away: the next look may find it */ }
    setTimeout(loop, PAUSE_MS);
  };
  setTimeout(loop, PAUSE_MS);
}

// One box for all.

const head = document.querySelector(".mail thead .pick");
if (rows && head && rows.querySelector(".pick input")) {
  const all = document.createElement("input");
  all.type = "checkbox";
  all.setAttribute("aria-label", say("all"));
  all.addEventListener("change", () => {
    for (const box of rows.querySelectorAll(".pick input")) box.checked = all.checked;
  });
  head.replaceChildren(all);
}
