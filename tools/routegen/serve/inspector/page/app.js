const byId = (id) => document.getElementById(id);
const token = document.querySelector("meta[name=inspector-token]").content;
const MAX_ROWS = 1000; // rows that the page keeps

/** An element with text. Nothing from a request ever becomes markup, because it is only set as text. */
function makeElement(tag, { text, className, ...attributes } = {}, ...children) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const narrowScreen = matchMedia("(max-width: 60rem)");
const entries = new Map(); // number -> { summary, row }
let waitingSummaries = []; // summaries that arrived while the list was paused
let paused = false;
let selectedNumber = null;
let latestNumber = 0;

const statusClass = (status) => (status >= 500 ? "bad" : status >= 400 ? "warn" : "good");
const formatTime = (seconds) => new Date(seconds * 1000).toLocaleTimeString([], { hour12: false });

function makeRow(summary) {
  const { method, path, status, warning } = summary;
  const button = makeElement("button", { className: "open", type: "button", text: path });
  button.setAttribute("aria-label", `${method} ${path}, ${status}${warning ? ", breaks clients" : ""}`);
  const pathCell = makeElement("div");
  if (warning) pathCell.append(makeElement("span", { className: "tag bad", text: "⚠ breaks clients" }));
  if (summary.replay_of) pathCell.append(makeElement("span", { className: "tag", text: `replay of ${summary.replay_of}` }));
  if (summary.reserved) pathCell.append(makeElement("span", { className: "tag", text: "reserved", title: summary.reserved }));
  if (summary.cold) pathCell.append(makeElement("span", { className: "tag", text: "cold" }));
  pathCell.append(button);
  const row = makeElement(
    "tr",
    { className: warning ? "has-warning" : "", "data-number": summary.number },
    makeElement("td", { text: formatTime(summary.time) }),
    makeElement("td", { text: method }),
    makeElement("td", { className: "path", title: path }, pathCell),
    makeElement("td", { text: summary.app ?? "–" }),
    makeElement("td", { className: statusClass(status), text: status }),
    makeElement("td", { className: "number", text: summary.milliseconds }),
  );
  row.addEventListener("click", async () => {
    await selectRequest(summary.number);
    // On a narrow screen the details are below the list.
    if (narrowScreen.matches) byId("details").scrollIntoView();
  });
  return row;
}

function addSummary(summary) {
  if (summary.number <= latestNumber) return; // a resumed stream can repeat a summary
  latestNumber = summary.number;
  if (paused) {
    waitingSummaries.push(summary);
    waitingSummaries = waitingSummaries.slice(-MAX_ROWS);
    return showCount();
  }
  const row = makeRow(summary);
  row.classList.add("fresh");
  entries.set(summary.number, { summary, row });
  byId("rows").prepend(row);
  if (entries.size > MAX_ROWS) {
    const [oldestNumber, oldest] = entries.entries().next().value;
    oldest.row.remove();
    entries.delete(oldestNumber);
  }
  if (summary.app && ![...byId("app").options].some((option) => option.value === summary.app)) {
    byId("app").append(makeElement("option", { text: summary.app, value: summary.app }));
  }
  row.hidden = !matchesFilter(summary);
  if (summary.warning) announce(`${summary.method} ${summary.path}: ${summary.warning}.`);
  showCount();
}

function matchesFilter(summary) {
  if (byId("app").value && summary.app !== byId("app").value) return false;
  if (byId("only-sign-in").checked && !summary.sign_in) return false;
  if (byId("only-warnings").checked && !summary.warning) return false;
  const { method, path, app, route_key, status } = summary;
  const text = `${method} ${path} ${app} ${route_key} ${status} ${Math.floor(status / 100)}xx`.toLowerCase();
  return byId("filter").value.toLowerCase().split(/\s+/).every((word) => text.includes(word));
}

function applyFilter() {
  for (const { summary, row } of entries.values()) row.hidden = !matchesFilter(summary);
  showCount();
}

function showCount() {
  const shown = [...entries.values()].filter(({ row }) => !row.hidden).length;
  byId("empty").hidden = entries.size > 0;
  byId("requests").hidden = entries.size === 0;
  const waiting = waitingSummaries.length ? `, ${waitingSummaries.length} waiting` : "";
  byId("count").textContent = `${shown} of ${entries.size} shown${waiting}`;
}

function announce(text) {
  byId("announcement").textContent = text;
}

function makeBlock(title, ...parts) {
  return [makeElement("h3", { text: title }), ...parts];
}

/** Preformatted text, in which masks look different from the text of the request. */
function makePreformatted(text) {
  const element = makeElement("pre");
  String(text).split("[masked]").forEach((part, index) => {
    if (index) element.append(makeElement("span", { className: "masked", text: "[masked]" }));
    element.append(part);
  });
  return element;
}

/** JSON with line breaks; any other text unchanged. */
function formatJson(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}

/** The elements of a request or a response: its first line, headers and body. */
function makeMessage({ line, headers, body }) {
  const parts = [makePreformatted([line, ...headers.map(([name, value]) => `${name}: ${value}`)].join("\n"))];
  if (body.bytes) {
    parts.push(makePreformatted(formatJson(body.text) ?? `not text: ${body.bytes} bytes`));
    if (body.truncated) {
      parts.push(makeElement("p", { text: `The whole body has ${body.bytes.toLocaleString("en")} bytes.` }));
    }
  }
  return parts;
}

function makeJson(value) {
  return makePreformatted(typeof value === "string" ? value : JSON.stringify(value, null, 2));
}

async function selectRequest(number) {
  selectedNumber = number;
  for (const [other, { row }] of entries) row.classList.toggle("selected", other === number);
  const details = await fetchJson(`exchanges/${number}`);
  if (selectedNumber !== number) return;
  showDetails(details);
  byId("details").scrollTop = 0;
}

/** The inspector's JSON response, or `{ failure }` with the reason. */
async function fetchJson(path, options) {
  try {
    const response = await fetch(path, options);
    const value = await response.json();
    return response.ok ? value : { failure: value.problem };
  } catch {
    return { failure: "The gateway does not answer. Start it again with routegen serve." };
  }
}

function showDetails(details) {
  if (details.failure) return byId("details").replaceChildren(makeElement("p", { text: details.failure }));
  const replayButton = makeElement("button", { type: "button", id: "replay", text: "Replay" });
  replayButton.disabled = !details.replayable;
  replayButton.addEventListener("click", () => replayRequest(details.number));
  const replayHint = details.replayable
    ? ""
    : "This request cannot be replayed: the gateway refused it before it had read the whole request.";
  const facts = makeElement("dl", { className: "facts" });
  const addFact = (name, value) => facts.append(makeElement("dt", { text: name }), makeElement("dd", { text: value }));
  addFact("route key", details.route_key ?? "none");
  if (details.reason) addFact("reason", details.reason);
  addFact("app", details.app ?? "none");
  addFact("status", details.status);
  addFact("time", `${details.milliseconds} ms, ${details.cold ? "cold: an instance was started" : "warm"}`);
  addFact("number", details.replay_of ? `${details.number}, a replay of ${details.replay_of}` : details.number);
  addFact("request id", details.id);
  if (details.problem) addFact("problem", details.problem);
  const warning = makeElement("p", { className: "alarm" }, makeElement("b", { text: "⚠ Breaks clients: " }), `${details.warning}.`);
  byId("details").replaceChildren(
    makeElement("h2", { text: `${details.method} ${details.path}` }),
    ...(details.warning ? [warning] : []),
    facts,
    makeElement("p", { className: "actions" }, replayButton, makeElement("span", { id: "replay-result", text: replayHint })),
    ...makeBlock("request", ...makeMessage(details.request)),
    ...makeBlock("response", ...makeMessage(details.response)),
    ...(details.event ? makeBlock("event, payload format 2.0", makeJson(details.event)) : []),
    ...(details.result ? makeBlock("result of the function", makeJson(details.result)) : []),
  );
}

async function replayRequest(number) {
  const options = { method: "POST", headers: { "x-inspector-token": token } };
  const { failure } = await fetchJson(`exchanges/${number}/replay`, options);
  const text = failure ?? `Request ${number} was replayed.`;
  announce(text);
  if (selectedNumber === number) byId("replay-result")?.replaceChildren(text);
}

function moveSelection(step) {
  const visible = [...byId("rows").rows].filter((row) => !row.hidden);
  if (!visible.length) return;
  const current = visible.findIndex((row) => Number(row.dataset.number) === selectedNumber);
  const next = visible[Math.min(Math.max(current < 0 ? 0 : current + step, 0), visible.length - 1)];
  next.querySelector(".open").focus();
  selectRequest(Number(next.dataset.number));
}

function closeDetails() {
  selectedNumber = null;
  for (const { row } of entries.values()) row.classList.remove("selected");
  byId("details").replaceChildren(makeElement("p", { className: "hint", text: "Select a request." }));
}

const keyActions = {
  j: () => moveSelection(1), ArrowDown: () => moveSelection(1), k: () => moveSelection(-1), ArrowUp: () => moveSelection(-1),
  "/": () => byId("filter").focus(), r: () => selectedNumber && replayRequest(selectedNumber), Escape: closeDetails,
};
document.addEventListener("keydown", (event) => {
  const isTyping = event.target.matches("input[type=search], select");
  if (isTyping && event.key === "Escape") return event.target.blur();
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey || !keyActions[event.key]) return;
  event.preventDefault();
  keyActions[event.key]();
});

for (const id of ["filter", "app", "only-sign-in", "only-warnings"]) byId(id).addEventListener("input", applyFilter);
byId("pause").addEventListener("click", () => {
  paused = !paused;
  byId("pause").setAttribute("aria-pressed", paused);
  if (paused) return;
  const summaries = waitingSummaries;
  waitingSummaries = [];
  latestNumber -= summaries.length ? latestNumber - summaries[0].number + 1 : 0;
  summaries.forEach(addSummary);
});
byId("clear").addEventListener("click", () => {
  entries.clear();
  waitingSummaries = [];
  byId("rows").replaceChildren();
  closeDetails();
  showCount();
});

function showRoutes(routes) {
  byId("route-count").textContent = `(${routes.length} route keys)`;
  byId("route-rows").replaceChildren(
    ...routes.map(({ key, app, role, spec, reserved }) => {
      const description = key === "$default" ? "every other request" : spec ? `${role}, ${spec}` : role;
      const text = reserved ? `reserved: ${description}. ${reserved}; ${app} answers 404 itself.` : description;
      return makeElement("tr", {}, ...[key, app, text].map((cell) => makeElement("td", { text: cell })));
    }),
  );
}

const showConnection = (className, text) => Object.assign(byId("connection"), { className, textContent: text });
const stream = new EventSource("events");
stream.addEventListener("open", () => showConnection("connected", "connected"));
stream.addEventListener("error", () => showConnection("disconnected", "the gateway does not answer; reconnecting"));
// A new run of the gateway has another token and counts from 1 again.
stream.addEventListener("run", (event) => JSON.parse(event.data).token !== token && location.reload());
stream.addEventListener("routes", (event) => showRoutes(JSON.parse(event.data)));
stream.addEventListener("exchange", (event) => addSummary(JSON.parse(event.data)));
showCount();
