"use strict";
const model = JSON.parse(document.getElementById("model").textContent);
const byId = (id) => document.getElementById(id);

/** Decodes a path as the gateway does: percent-decoded once, with bytes that are not UTF-8 replaced by U+FFFD. */
function decode(path) {
  const bytes = [];
  const encoder = new TextEncoder();
  for (const part of path.split(/(%[0-9a-f]{2})/i)) {
    if (/^%[0-9a-f]{2}$/i.test(part)) bytes.push(parseInt(part.slice(1), 16));
    else bytes.push(...encoder.encode(part));
  }
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(new Uint8Array(bytes));
}

const rules = model.rules.map((rule) => ({ ...rule, pattern: new RegExp(`^(?:${rule.regex})$`, "u") }));

/** Returns the rule that the gateway selects, which is the first one that matches; undefined means `$default`. */
function select(method, path) {
  const text = decode(path);
  return rules.find((rule) => (rule.method === method || rule.method === model.any) && rule.pattern.test(text));
}

const fill = (words, values) => words.replace(/\{(\w+)\}/g, (_, name) => values[name]);

/** Returns the rest of the reason for a rule: the path is reserved, or the app refuses the method itself. */
function describeApp(rule, method) {
  const { app, methods, reserved } = rule;
  if (reserved) return fill(model.words.reserved, { app, reason: reserved });
  if (methods.includes(model.any) || methods.includes(method)) return "";
  return fill(model.words.refuses, { app, methods: methods.join(", "), method });
}

function explain(method, target) {
  const path = target.split(/[?#]/)[0];
  const rule = select(method, path);
  if (rule) return { key: rule.key, app: rule.app, why: rule.how + describeApp(rule, method) };
  const withoutSlash = path.replace(/\/+$/, "");
  const methods = model.probed.filter((probedMethod) => select(probedMethod, path));
  let why = methods.length ? fill(model.words.otherMethod, { methods: methods.join(", ") }) : model.words.noKey;
  if (withoutSlash !== path && select(model.any, withoutSlash)) why = fill(model.words.otherSlash, { path: withoutSlash });
  if (model.default === null) return { key: "none", app: null, why: why + model.words.noDefault };
  return { key: "$default", app: model.default, why };
}

function makeBold(text) {
  const element = document.createElement("b");
  element.textContent = text;
  return element;
}

function showAnswer() {
  const path = byId("path").value;
  const { key, app, why } = explain(byId("method").value, path.startsWith("/") ? path : `/${path}`);
  const target = app === null ? [makeBold(model.words.noApp)] : [makeBold(app), " gets it through ", makeBold(key)];
  byId("answer").replaceChildren(...target, app === null ? ` (${why}).` : `: ${why}.`);
  for (const row of byId("routes").tBodies[0].rows) row.classList.toggle("selected", row.dataset.key === key);
}

function search() {
  const words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const rows = [...byId("routes").tBodies[0].rows];
  for (const row of rows) {
    const text = row.textContent.toLowerCase();
    row.hidden = !words.every((word) => text.includes(word));
  }
  const shown = rows.filter((row) => !row.hidden).length;
  byId("count").textContent = `${shown} of ${rows.length} shown`;
}

byId("explain").addEventListener("input", showAnswer);
byId("explain").addEventListener("submit", (event) => event.preventDefault());
byId("search").addEventListener("input", search);
showAnswer();
search();
