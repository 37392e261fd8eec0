const at = (id) => document.getElementById(id);
const token = document.querySelector("meta[name=inspector-token]").content;
const MOST = 1000; // lines that the page keeps

/** An element with text in it: nothing from a request ever becomes markup. */
function make(tag, { text, className, ...attributes } = {}, ...children) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const narrow = matchMedia("(max-width: 60rem)");
const lines = new Map(); // number -> { fields, row }
let waiting = []; // what came while paused
let paused = false;
let chosen = null;
let latest = 0;

const colour = (status) => (status >= 500 ? "bad" : status >= 400 ? "warn" : "good");
const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString([], { hour12: false });

function row(one) {
  const open = make("button", { className: "open", type: "button", text: one.path });
  open.setAttribute("aria-label", `${one.method} ${one.path}, ${one.status}${one.warning ? ", breaks clients" : ""}`);
  const path = make("div");
  if (one.warning) path.append(make("span", { className: "tag bad", text: "⚠ breaks clients" }));
  if (one.replay_of) path.append(make("span", { className: "tag", text: `replay of ${one.replay_of}` }));
  if (one.cold) path.append(make("span", { className: "tag", text: "cold" }));
  path.append(open);
  const line = make(
    "tr",
    { className: one.warning ? "warned" : "", "data-number": one.number },
    make("td", { text: clock(one.time) }),
    make("td", { text: one.method }),
    make("td", { className: "path", title: one.path }, path),
    make("td", { text: one.app ?? "–" }),
    make("td", { className: colour(one.status), text: one.status }),
    make("td", { className: "number", text: one.milliseconds }),
  );
  line.addEventListener("click", async () => {
    await choose(one.number);
    // On a narrow screen they stand below the list.
    if (narrow.matches) at("details").scrollIntoView();
  });
  return line;
}

function add(one) {
  if (one.number <= latest) return; // a stream that was resumed says nothing twice
  latest = one.number;
  if (paused) {
    waiting.push(one);
    waiting = waiting.slice(-MOST);
    return count();
  }
  const line = row(one);
  line.classList.add("fresh");
  lines.set(one.number, { fields: one, row: line });
  at("rows").prepend(line);
  if (lines.size > MOST) {
    const [oldest, { row: gone }] = lines.entries().next().value;
    gone.remove();
    lines.delete(oldest);
  }
  if (one.app && ![...at("app").options].some((option) => option.value === one.app)) {
    at("app").append(make("option", { text: one.app, value: one.app }));
  }
  line.hidden = !matches(one);
  if (one.warning) at("said").textContent = `${one.method} ${one.path}: ${one.warning}`;
  count();
}

function matches(one) {
  if (at("app").value && one.app !== at("app").value) return false;
  if (at("discovery").checked && !one.discovery) return false;
  if (at("warnings").checked && !one.warning) return false;
  const text = `${one.method} ${one.path} ${one.app} ${one.route_key} ${one.status} ${Math.floor(one.status / 100)}xx`.toLowerCase();
  return at("filter").value.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

function filter() {
  for (const { fields, row: line } of lines.values()) line.hidden = !matches(fields);
  count();
}

function count() {
  const shown = [...lines.values()].filter(({ row: line }) => !line.hidden).length;
  at("empty").hidden = lines.size > 0;
  at("requests").hidden = lines.size === 0;
  at("count").textContent = `${shown} of ${lines.size} shown${waiting.length ? `, ${waiting.length} waiting` : ""}`;
}

function block(title, ...parts) {
  return [make("h3", { text: title }), ...parts];
}

/** A text with its masks told apart from what was really there. */
function pre(text) {
  const element = make("pre");
  String(text).split("[masked]").forEach((part, index) => {
    if (index) element.append(make("span", { className: "masked", text: "[masked]" }));
    element.append(part);
  });
  return element;
}

/** JSON with line breaks; any other text as it is. */
function pretty(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

function message(part) {
  const parts = [pre([part.line, ...part.headers.map(([name, value]) => `${name}: ${value}`)].join("\n"))];
  if (part.body.bytes) {
    parts.push(pre(pretty(part.body.text) ?? `${part.body.bytes} bytes that are no text`));
    if (part.body.cut) parts.push(make("p", { text: `${part.body.bytes.toLocaleString("en")} bytes in all.` }));
  }
  return parts;
}

function json(value) {
  return pre(typeof value === "string" ? value : JSON.stringify(value, null, 2));
}

async function choose(number) {
  chosen = number;
  for (const [other, { row: line }] of lines) line.classList.toggle("chosen", other === number);
  const one = await ask(`exchanges/${number}`);
  if (chosen !== number) return;
  show(one);
  at("details").scrollTop = 0;
}

/** What the inspector says to a request, or `{ failed }` with the reason. */
async function ask(path, options) {
  try {
    const answer = await fetch(path, options);
    const said = await answer.json();
    return answer.ok ? said : { failed: said.problem };
  } catch {
    return { failed: "The gateway doesn't answer." };
  }
}

function show(one) {
  if (one.failed) return at("details").replaceChildren(make("p", { text: one.failed }));
  const replay = make("button", { type: "button", id: "replay", text: "Replay" });
  replay.disabled = !one.replayable;
  replay.addEventListener("click", () => again(one.number));
  const said = one.replayable ? "" : "It can't be replayed: the gateway refused it before it had read it all.";
  const facts = make("dl", { className: "facts" });
  const fact = (name, value) => facts.append(make("dt", { text: name }), make("dd", { text: value }));
  fact("route key", one.route_key ?? "none");
  fact("why", one.why ?? one.problem ?? "");
  fact("function", one.app ?? "none");
  fact("status", one.status);
  fact("time", `${one.milliseconds} ms, ${one.cold ? "cold: an instance had to start" : "warm"}`);
  fact("number", one.replay_of ? `${one.number}, a replay of ${one.replay_of}` : one.number);
  fact("request id", one.id);
  if (one.problem) fact("the gateway says", one.problem);
  const alarm = make("p", { className: "alarm" }, make("b", { text: "⚠ Breaks clients. " }), one.warning ?? "");
  at("details").replaceChildren(
    make("h2", { text: `${one.method} ${one.path}` }),
    ...(one.warning ? [alarm] : []),
    facts,
    make("p", { className: "actions" }, replay, make("span", { id: "replayed", text: said })),
    ...block("request", ...message(one.request)),
    ...block("response", ...message(one.response)),
    ...(one.event ? block("event, payload format 2.0", json(one.event)) : []),
    ...(one.result ? block("what the function said", json(one.result)) : []),
  );
}

async function again(number) {
  const { failed } = await ask(`exchanges/${number}/replay`, { method: "POST", headers: { "x-inspector-token": token } });
  const said = failed ?? `Request ${number} was replayed.`;
  at("said").textContent = said;
  if (chosen === number) at("replayed")?.replaceChildren(said);
}

function move(step) {
  const visible = [...at("rows").rows].filter((line) => !line.hidden);
  if (!visible.length) return;
  const now = visible.findIndex((line) => Number(line.dataset.number) === chosen);
  const next = visible[Math.min(Math.max(now < 0 ? 0 : now + step, 0), visible.length - 1)];
  next.querySelector(".open").focus();
  choose(Number(next.dataset.number));
}

function close() {
  chosen = null;
  for (const { row: line } of lines.values()) line.classList.remove("chosen");
  at("details").replaceChildren(make("p", { className: "hint", text: "Choose a request." }));
}

const keys = {
  j: () => move(1), ArrowDown: () => move(1), k: () => move(-1), ArrowUp: () => move(-1),
  "/": () => at("filter").focus(), r: () => chosen && again(chosen), Escape: close,
};
document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input[type=search], select");
  if (typing && event.key === "Escape") return event.target.blur();
  if (typing || event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
});

for (const id of ["filter", "app", "discovery", "warnings"]) at(id).addEventListener("input", filter);
at("pause").addEventListener("click", () => {
  paused = !paused;
  at("pause").setAttribute("aria-pressed", paused);
  if (paused) return;
  const came = waiting;
  waiting = [];
  latest -= came.length ? latest - came[0].number + 1 : 0;
  came.forEach(add);
});
at("clear").addEventListener("click", () => {
  lines.clear();
  waiting = [];
  at("rows").replaceChildren();
  close();
  count();
});

function showMap(routes) {
  at("map-size").textContent = `(${routes.length} route keys)`;
  at("map-rows").replaceChildren(
    ...routes.map((one) => {
      const what = one.key === "$default" ? "everything else" : one.spec ? `${one.role}, ${one.spec}` : one.role;
      return make("tr", {}, make("td", { text: one.key }), make("td", { text: one.app }), make("td", { text: what }));
    }),
  );
}

const state = (className, text) => Object.assign(at("state"), { className, textContent: text });
const stream = new EventSource("events");
stream.addEventListener("open", () => state("live", "live"));
stream.addEventListener("error", () => state("lost", "the gateway has gone; waiting for it"));
// Another run knows nothing of this page's token, nor of its numbers.
stream.addEventListener("run", (event) => JSON.parse(event.data).token !== token && location.reload());
stream.addEventListener("routes", (event) => showMap(JSON.parse(event.data)));
stream.addEventListener("exchange", (event) => add(JSON.parse(event.data)));
count();
