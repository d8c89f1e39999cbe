// The field of a flow's source: numbers of its lines, colours, the checker's word a moment after each change, the cursor put to
// what it found, indenting, and no leaving by mistake. Without this the form does the same by its two buttons.
import {replace, say} from "./refresh.js";

const PAUSE = 300;   // ms from the last key to the checker
const form = document.querySelector("form[data-editor]");
const field = form.querySelector("textarea");
const lines = form.querySelector(".lines");
let stored = field.value;
let leaving = false;   // by Tab, after Escape
let timer = 0;
let asked = null;
let numbered = "";     // what the numbers of the lines show

function number() {
  const wrong = new Map();
  for (const place of form.querySelectorAll(".problems a[data-line]")) {
    const kind = place.closest("li").className;
    if (kind !== "info" && wrong.get(place.dataset.line) !== "error") wrong.set(place.dataset.line, kind);
  }
  const count = field.value.split("\n").length;
  const wanted = JSON.stringify([count, ...wrong]);
  if (wanted === numbered) return;
  numbered = wanted;
  const shown = [""];
  for (let line = 1; line <= count; line++) {
    const kind = wrong.get(String(line));
    if (kind) shown.push(marked(line, kind), "");
    else shown[shown.length - 1] += `${line}\n`;
  }
  lines.replaceChildren(...shown);
  lines.scrollTop = field.scrollTop;
}

function marked(line, kind) {
  const one = document.createElement("span");
  one.textContent = `${line}\n`;
  one.className = kind;
  return one;
}

async function check() {
  asked?.abort();
  const mine = (asked = new AbortController());
  const given = new FormData(form);
  given.set("act", "check");
  try {
    const body = new URLSearchParams(given);
    const answer = await fetch(form.action, {method: "POST", body, signal: mine.signal, headers: {Accept: "text/html"}});
    const found = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!answer.ok) throw new Error(found.querySelector("main")?.innerText || answer.statusText);
    replace(found);
    say("");
    number();
  } catch (error) {
    if (error.name !== "AbortError") say(error.message);
  }
}

function changed() {
  number();
  clearTimeout(timer);
  timer = setTimeout(check, PAUSE);
}

function goTo(line, column) {
  const rows = field.value.split("\n");
  const at = Math.min(line, rows.length) - 1;
  const row = rows[at] ?? "";
  const begin = rows.slice(0, at).reduce((sum, one) => sum + one.length + 1, 0);
  const from = begin + Math.min(column - 1, row.length);
  field.focus({preventScroll: true});
  field.setSelectionRange(from, begin + row.length);
  const height = field.scrollHeight / rows.length;
  field.scrollTop = Math.max(0, at * height - field.clientHeight / 2);
  field.scrollIntoView({block: "nearest"});
}

function insert(text) {
  // Only so the browser's own undo still knows what was before.
  if (!document.execCommand("insertText", false, text)) field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
  changed();
}

function indent(back) {
  const text = field.value;
  const first = text.lastIndexOf("\n", field.selectionStart - 1) + 1;
  if (!back && field.selectionStart === field.selectionEnd) return insert("  ");
  const chosen = text.slice(first, field.selectionEnd);
  const moved = chosen.split("\n").map((line) => (back ? line.replace(/^ {1,2}/, "") : line && `  ${line}`)).join("\n");
  field.setSelectionRange(first, field.selectionEnd);
  insert(moved);
  field.setSelectionRange(first, first + moved.length);
}

function begun() {
  const before = field.value.slice(0, field.selectionStart);
  const line = before.slice(before.lastIndexOf("\n") + 1);
  const spaces = line.match(/^ */)[0];
  return spaces + (/:\s*[|>]?-?\s*$/.test(line) || /^\s*- \S/.test(line) ? "  " : "");
}

field.addEventListener("keydown", (event) => {
  if (event.isComposing) return;
  const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
  if (event.key === "Escape") { leaving = true; return; }
  if (event.key === "Tab" && plain && !leaving) { event.preventDefault(); indent(event.shiftKey); }
  if (event.key === "Enter" && plain && !event.shiftKey) { event.preventDefault(); insert(`\n${begun()}`); }
  if (event.key !== "Shift") leaving = false;
});

document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() !== "s" || !(event.ctrlKey || event.metaKey) || event.altKey) return;
  event.preventDefault();
  form.requestSubmit(form.querySelector("button[value=save]"));
});

form.addEventListener("click", (event) => {
  const place = event.target.closest(".problems a[data-line]");
  if (!place) return;
  event.preventDefault();
  goTo(Number(place.dataset.line), Number(place.dataset.column));
});

form.addEventListener("submit", (event) => {
  if (event.submitter?.value === "check") {
    event.preventDefault();
    check();
  } else {
    stored = null;
  }
});

field.addEventListener("input", changed);
field.addEventListener("scroll", () => { lines.scrollTop = field.scrollTop; });
window.addEventListener("beforeunload", (event) => {
  if (stored !== null && field.value !== stored) event.preventDefault();
});
number();
// A browser that does not know its patterns shows the source in one colour.
import("./colours.js").then(({colour}) => colour(field, form.querySelector(".colours > span")), () => {});
