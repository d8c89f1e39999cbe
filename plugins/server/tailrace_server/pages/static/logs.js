// Log lines as they come: each is added below the others; whoever looks at the end of them sees it.
import {load, replace} from "./refresh.js";
import {localTimes} from "./times.js";

const MOST = 5000;  // lines that a page holds
const LONGEST = 4000;  // characters of a line on the page
let streams = [];
let seen = 0;       // the `seq` of the last line that was added

function begin() {
  end();
  const {follow, find = "", events} = document.getElementById("lines")?.dataset ?? {};
  if (!follow || document.hidden) return;
  const url = new URL(follow, location.href);
  url.searchParams.set("after", Math.max(seen, Number(url.searchParams.get("after"))));
  const wanted = find.toLowerCase();
  const lines = new EventSource(url);
  let waiting = [];
  lines.addEventListener("log", (event) => {
    const line = JSON.parse(event.data);
    if (!line.message.toLowerCase().includes(wanted)) return;
    if (waiting.push(line) === 1) setTimeout(flush, 30);
  });
  const flush = () => {
    if (streams[0] !== lines || !waiting.length) return;  // another stream has begun, and brings these lines too
    add(waiting);
    seen = waiting.at(-1).seq;
    waiting = [];
  };
  lines.addEventListener("end", () => { flush(); end(); load(location.href); });
  const states = new EventSource(events);
  states.addEventListener("flow_execution", head);
  streams = [lines, states];
}

function end() {
  for (const stream of streams) stream.close();
  streams = [];
}

function add(found) {
  const log = document.getElementById("log");
  if (!log) return;
  const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 40;
  log.querySelector(".empty")?.remove();
  log.append(...found.map(element));
  while (log.childElementCount > MOST) log.firstElementChild.remove();
  if (atEnd) log.scrollTop = log.scrollHeight;
}

function element(line) {
  const row = document.createElement("div");
  row.className = `line ${line.level.toLowerCase()}`;
  const texts = {
    at: line.at.slice(0, 23).replace("T", " "), level: line.level, task: line.task_name ?? "", message: cut(line.message),
  };
  for (const [name, text] of Object.entries(texts)) {
    const part = document.createElement(name === "at" ? "time" : "span");
    part.className = name;
    part.textContent = text;
    if (name === "at") part.dateTime = line.at;
    row.append(part, " ");
  }
  localTimes(row);
  return row;
}

const cut = (text) => text.length > LONGEST ? `${text.slice(0, LONGEST)}… (${text.length} characters)` : text;

// The head alone: the lines that came stay where they are.
async function head() {
  const answer = await fetch(location.href, {headers: {Accept: "text/html"}});
  if (!answer.ok) return;
  const found = new DOMParser().parseFromString(await answer.text(), "text/html");
  found.getElementById("lines")?.remove();
  replace(found);
}

function toEnd() {
  const log = document.getElementById("log");
  if (document.getElementById("lines")?.dataset.follow) log.scrollTop = log.scrollHeight;
}

document.addEventListener("replaced", (event) => {
  if (event.target.id !== "lines") return;
  seen = 0;
  toEnd();
  begin();
});
document.addEventListener("visibilitychange", () => document.hidden ? end() : begin());
window.addEventListener("pagehide", end);
toEnd();
begin();
