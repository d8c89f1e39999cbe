// The evaluator: what an expression gives stands there as it is typed; names are completed; what was asked comes back.
import {Completer} from "./completer.js";
import {say} from "./refresh.js";
import {localTimes} from "./times.js";

const PAUSE = 350;   // ms from the last key to the evaluation
const KEPT = 50;     // expressions in the history
const HISTORY = "expressions";

const form = document.getElementById("evaluator");
const text = document.getElementById("expression");
const task = document.getElementById("as-task");
const value = document.getElementById("as-value");
let running = null;
let timer = 0;

// -- asking

async function ask(url) {
  clearTimeout(timer);
  running?.abort();
  const mine = (running = new AbortController());
  const place = document.getElementById("evaluated");
  place.classList.add("waiting");
  try {
    const answer = await fetch(url, {signal: mine.signal, headers: {Accept: "text/html"}});
    const found = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = found.getElementById("evaluated");
    if (!fresh) throw new Error(found.querySelector("main")?.innerText || answer.statusText);
    localTimes(fresh);
    place.replaceChildren(...[...fresh.childNodes].map((node) => document.adoptNode(node)));
    place.dispatchEvent(new CustomEvent("replaced", {bubbles: true}));
  } catch (error) {
    if (error.name !== "AbortError") say(error.message);
  } finally {
    if (running === mine) {
      running = null;
      place.classList.remove("waiting");
    }
  }
}

function evaluate() {
  const filled = [...new FormData(form)].filter(([, one]) => one !== "");
  if (text.value.trim()) ask(`${form.action}?${new URLSearchParams(filled)}`);
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(evaluate, PAUSE);
}

// -- the history, of this tab

let back = -1;  // how far back in it; -1 is what is being typed
let typed = "";

function history() {
  try { return JSON.parse(sessionStorage.getItem(HISTORY) ?? "[]"); } catch { return []; }
}

function remember() {
  const asked = text.value.trim();
  if (!asked) return;
  const kept = [asked, ...history().filter((one) => one !== asked)].slice(0, KEPT);
  try { sessionStorage.setItem(HISTORY, JSON.stringify(kept)); } catch { /* then there is no history */ }
  back = -1;
}

function goBack(by) {
  const known = history();
  const next = Math.min(Math.max(back + by, -1), known.length - 1);
  if (next === back) return;
  if (back < 0) typed = text.value;
  back = next;
  text.value = back < 0 ? typed : known[back];
  soon();
}

// -- keys

const completer = new Completer(text, document.getElementById("completions"), (half, cursor) => {
  const asked = new URLSearchParams({text: half, cursor});
  if (task.value) asked.set("as_task", task.value);
  if (task.value && value.value) asked.set("as_value", value.value);
  return `${form.dataset.completions}?${asked}`;
});

text.addEventListener("keydown", (event) => {
  if (event.isComposing || completer.key(event)) return;
  if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
    event.preventDefault();
    goBack(event.key === "ArrowUp" ? 1 : -1);
  } else if (event.key === "Enter" && !event.shiftKey) {
    event.preventDefault();
    form.requestSubmit();
  }
});
text.addEventListener("input", () => { back = -1; });
form.addEventListener("input", soon);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  completer.close();
  remember();
  evaluate();
});

document.addEventListener("keydown", (event) => {
  const free = !event.defaultPrevented && !event.ctrlKey && !event.metaKey && !event.altKey;
  const typing = event.target.matches("input, select, textarea") || document.querySelector("dialog[open]");
  if (event.key !== "e" || !free || typing || document.getElementById("keys-single")?.checked === false) return;
  event.preventDefault();
  text.focus();
});

// -- links: of a value to its evaluation, and inside of what an expression gave

document.addEventListener("click", (event) => {
  if (event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
  const wanted = event.target.closest?.("a[data-evaluate]");
  const inside = event.target.closest?.("#evaluated a[data-refresh]");
  if (!wanted && !inside) return;
  event.preventDefault();
  event.stopPropagation();
  if (inside) return ask(inside.href);
  text.value = wanted.dataset.evaluate.replace(/^\{\{ | \}\}$/g, "");
  task.value = wanted.dataset.task;
  value.value = wanted.dataset.value;
  text.focus();
  remember();
  evaluate();
}, true);
