"use strict";
// Runs operations, follows subscriptions, and shows the schema. Credentials stay in this page's memory.
const path = document.body.dataset.path;
const at = (id) => document.getElementById(id);
const make = (name, text) => Object.assign(document.createElement(name), { textContent: text });
let socket = null;

function credentials() {
  const found = {};
  if (at("key").value) found["X-API-Key"] = at("key").value;
  else if (at("token").value) found.Authorization = `Bearer ${at("token").value}`;
  return found;
}

function asked() {
  return { query: at("query").value, variables: JSON.parse(at("variables").value || "{}") };
}

function show(value) {
  at("answer").textContent = typeof value === "string" ? value : JSON.stringify(value, null, 2);
}

async function post(body) {
  const headers = { "Content-Type": "application/json", Accept: "application/json", ...credentials() };
  const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  return answer.json();
}

function follow(body) {
  stop();
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const here = new WebSocket(`${scheme}://${location.host}${path}/ws`, "graphql-transport-ws");
  const lines = [];
  socket = here;
  at("stop").hidden = false;
  here.onopen = () => here.send(JSON.stringify({ type: "connection_init", payload: credentials() }));
  here.onclose = (event) => {
    lines.unshift(`closed: ${event.code} ${event.reason}`);
    show(lines.join("\n"));
    if (socket === here) stop();
  };
  here.onmessage = (event) => {
    const message = JSON.parse(event.data);
    if (message.type === "connection_ack") here.send(JSON.stringify({ id: "1", type: "subscribe", payload: body }));
    if (message.type === "next" || message.type === "error") {
      lines.unshift(JSON.stringify(message.payload, null, 2));
      lines.length = Math.min(lines.length, 200);
      show(lines.join("\n"));
    }
    if (message.type === "complete" || message.type === "error") here.close(1000);
  };
}

function stop() {
  at("stop").hidden = true;
  if (socket) {
    socket.onclose = null;
    socket.close(1000);
    socket = null;
  }
}

async function run() {
  try {
    const body = asked();
    if (/^\s*(#[^\n]*\n\s*)*subscription\b/.test(body.query)) {
      follow(body);
      return;
    }
    show("…");
    show(await post(body));
    if (!at("schema").childElementCount) describe();
  } catch (error) {
    show(String(error));
  }
}

const NESTED = "kind name ofType { kind name ofType { kind name ofType { kind name } } }";
const ASKED = `{ __schema { types { kind name description
  fields { name description type { ${NESTED} } args { name type { ${NESTED} } } }
  inputFields { name description type { ${NESTED} } } enumValues { name description } } } }`;

function typed(type) {
  if (type.kind === "NON_NULL") return `${typed(type.ofType)}!`;
  return type.kind === "LIST" ? `[${typed(type.ofType)}]` : type.name;
}

function line(field) {
  const given = (field.args || []).map((each) => `${each.name}: ${typed(each.type)}`).join(", ");
  return `${field.name}${given ? `(${given})` : ""}${field.type ? `: ${typed(field.type)}` : ""}`;
}

async function describe() {
  const answer = await post({ query: ASKED });
  if (!answer.data) return;
  const first = ["Query", "Mutation", "Subscription"];
  const rank = (type) => (first.includes(type.name) ? String(first.indexOf(type.name)) : type.name);
  const types = answer.data.__schema.types.filter((type) => !type.name.startsWith("__"));
  types.sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
  const articles = types.map((type) => {
    const article = document.createElement("details");
    const list = document.createElement("dl");
    for (const field of type.fields || type.inputFields || type.enumValues || []) {
      list.append(make("dt", line(field)), make("dd", field.description || ""));
    }
    article.append(make("summary", `${type.kind.toLowerCase()} ${type.name}`), make("p", type.description || ""), list);
    return article;
  });
  at("schema").replaceChildren(...articles);
}

at("find").addEventListener("input", () => {
  const wanted = at("find").value.toLowerCase();
  for (const article of at("schema").children) {
    article.hidden = !article.textContent.toLowerCase().includes(wanted);
  }
});
at("run").addEventListener("click", run);
at("stop").addEventListener("click", stop);
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) run();
});
describe().catch((error) => show(String(error)));
