"use strict";
const model = JSON.parse(document.getElementById("model").textContent);
const at = (id) => document.getElementById(id);

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

function explain(method, asked) {
  const path = asked.split(/[?#]/)[0];
  const rule = select(method, path);
  if (rule) {
    const served = rule.methods.includes(model.any) || rule.methods.includes(method);
    const more = served ? "" : fill(model.words.refuses, { app: rule.app, methods: rule.methods.join(", "), method });
    return { key: rule.key, app: rule.app, why: rule.how + more };
  }
  const bare = path.replace(/\/+$/, "");
  const methods = model.probed.filter((one) => select(one, path));
  let why = methods.length ? fill(model.words.otherMethod, { methods: methods.join(", ") }) : model.words.noKey;
  if (bare !== path && select(model.any, bare)) why = fill(model.words.otherSlash, { path: bare });
  return { key: "$default", app: model.default, why };
}

function bold(text) {
  const element = document.createElement("b");
  element.textContent = text;
  return element;
}

function answer() {
  const path = at("path").value;
  const found = explain(at("method").value, path.startsWith("/") ? path : `/${path}`);
  at("answer").replaceChildren(bold(found.app), " gets it through ", bold(found.key), `: ${found.why}.`);
  for (const row of at("routes").tBodies[0].rows) row.classList.toggle("taken", row.dataset.key === found.key);
}

function search() {
  const words = at("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  const rows = [...at("routes").tBodies[0].rows];
  for (const row of rows) {
    const text = row.textContent.toLowerCase();
    row.hidden = !words.every((word) => text.includes(word));
  }
  const shown = rows.filter((row) => !row.hidden).length;
  at("count").textContent = `${shown} of ${rows.length} shown`;
}

at("explain").addEventListener("input", answer);
at("explain").addEventListener("submit", (event) => event.preventDefault());
at("search").addEventListener("input", search);
answer();
search();
