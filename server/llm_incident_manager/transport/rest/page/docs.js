"use strict";

// The filter of the menu, and the forms: each request is shown as a curl command and sent to the server of this page.

const quoted = (text) => "'" + text.replaceAll("'", "'\"'\"'") + "'";

function request(form) {
  let path = form.dataset.path;
  const query = new URLSearchParams();
  for (const input of form.querySelectorAll("input[data-in]")) {
    if (input.dataset.in === "path") {
      path = path.replace("{" + input.name + "}", encodeURIComponent(input.value) || "{" + input.name + "}");
    } else if (input.value) {
      query.append(input.name, input.value);
    }
  }
  const body = form.elements.body ? form.elements.body.value : undefined;
  const base = new URL(".", location.href).href.replace(/\/$/, "");
  return { verb: form.dataset.verb, url: base + path + (query.size ? "?" + query : ""), body };
}

function command({ verb, url, body }) {
  const method = verb === "GET" || (verb === "POST" && body !== undefined) ? "" : " -X " + verb;
  return "curl -sS" + method + " " + quoted(url) + (body === undefined ? "" : " \\\n  -d " + quoted(body));
}

function shown(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text; // the lines of a stream
  }
}

async function send(form) {
  const wanted = request(form);
  const answer = form.querySelector(".answer");
  const stop = form.querySelector(".stop");
  const ending = new AbortController();
  answer.hidden = stop.hidden = false;
  answer.textContent = "…";
  stop.onclick = () => ending.abort();
  try {
    const reply = await fetch(wanted.url, { method: wanted.verb, body: wanted.body, signal: ending.signal });
    const head = reply.status + " " + (reply.headers.get("content-type") || "") + "\n\n";
    const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let text = "", part = { value: "" }; !part.done; part = await reader.read()) {
      text += part.value;
      answer.textContent = head + shown(text);
    }
  } catch (problem) {
    answer.textContent += "\n" + problem.message;
  }
  stop.hidden = true;
}

for (const form of document.querySelectorAll("form.try")) {
  const line = form.querySelector(".command");
  const refresh = () => { line.textContent = command(request(form)); };
  form.hidden = false;
  form.addEventListener("input", refresh);
  form.addEventListener("submit", (event) => { event.preventDefault(); send(form); });
  refresh();
}

document.getElementById("filter").addEventListener("input", (event) => {
  const words = event.target.value.toLowerCase();
  for (const item of document.querySelectorAll("nav li")) {
    item.hidden = !item.textContent.toLowerCase().includes(words);
  }
});
