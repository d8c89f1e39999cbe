// A form of inputs that answers while it is filled in: fields come and go with what they depend on, defaults follow,
// and problems are told at the field. It asks the server, which draws the form anew; what somebody works on stays.
import {say} from "./refresh.js";

const PAUSE = 300;   // ms from the last key to the question

const fieldsOf = (form) => [...form.querySelectorAll("[data-field]")];
const holds = (field) => JSON.stringify([...field.querySelectorAll("input, select, textarea")].map(
  (one) => one.type === "checkbox" || one.type === "radio" ? one.checked : one.value));

function bodyOf(form, look) {
  const body = new FormData(form);
  for (const [name, value] of [...body]) if (value instanceof File) body.set(name, value.name);
  body.set("look", look);
  return body;
}

// What is wrong on this side already: files that the server would not take. The field that they are in, or nothing.
function tooLarge(form) {
  const most = Number(form.dataset.most);
  const chosen = [...form.querySelectorAll("input[type=file]")].filter((one) => one.files.length);
  const size = chosen.reduce((sum, one) => sum + one.files[0].size, 0);
  if (size <= most) return null;
  const field = chosen.at(-1).closest("[data-field]");
  tell(field, `the files have ${megabytes(size)}, this server takes ${megabytes(most)} at once`);
  return field;
}

const enter = (field) => field?.querySelector("input:not([type=hidden]), select, textarea")?.focus();
const megabytes = (bytes) => `${(bytes / 1e6).toFixed(1)} MB`;

function tell(field, text) {
  const place = field.querySelector(".problem");
  if (!place || place.textContent === text) return;
  place.textContent = text;
  for (const one of field.querySelectorAll("[aria-describedby]")) {
    if (text) one.setAttribute("aria-invalid", "true");
    else one.removeAttribute("aria-invalid");
  }
}

function follow(form, fresh, before, {telling}) {
  for (const field of fieldsOf(form)) {
    const found = fresh.getElementById(field.id);
    if (!found) continue;
    field.hidden = found.hidden;
    const busy = field.contains(document.activeElement) || before.get(field.id) !== holds(field);
    const text = found.querySelector(".problem")?.textContent ?? "";
    if (busy ? telling || !text : true) tell(field, text);
    if (busy || field.querySelector("input[type=file], input[type=password]") || same(field, found)) continue;
    field.replaceChildren(...[...found.childNodes].map((node) => document.adoptNode(node)));
  }
  tooLarge(form);
}

// What was typed stands in the answer as an attribute, here as a property: both are the same field.
function same(field, found) {
  const copy = found.cloneNode(true);
  for (const one of copy.querySelectorAll("[aria-invalid]")) one.removeAttribute("aria-invalid");
  const mine = field.cloneNode(true);
  for (const one of mine.querySelectorAll("[aria-invalid]")) one.removeAttribute("aria-invalid");
  mine.hidden = copy.hidden;
  return mine.isEqualNode(copy) && holds(field) === holds(found);
}

function asking(form) {
  let timer = 0;
  let running = null;

  async function look(what) {
    clearTimeout(timer);
    running?.abort();
    const mine = (running = new AbortController());
    const before = new Map(fieldsOf(form).map((field) => [field.id, holds(field)]));
    const answer = await fetch(form.action, {method: "POST", body: bodyOf(form, what), signal: mine.signal});
    if (answer.status !== 200 && answer.status !== 422) return answer.status;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    follow(form, fresh, before, {telling: what === "all"});
    return answer.status;
  }

  const quietly = () => look("some").catch((error) => { if (error.name !== "AbortError") say(error.message); });

  async function send(event) {
    event.preventDefault();
    const large = tooLarge(form);
    if (large) return enter(large);
    document.activeElement?.blur();
    const status = await look("all").catch((error) => error.name);
    if (status === "AbortError") return;
    if (status !== 422) return form.submit();   // also when nobody answered: the browser tells that best
    const wrong = fieldsOf(form).find((field) => !field.hidden && field.querySelector(".problem")?.textContent);
    enter(wrong);
  }

  form.addEventListener("change", () => { clearTimeout(timer); timer = setTimeout(quietly, 0); });
  form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(quietly, PAUSE); });
  form.addEventListener("submit", send);
}

for (const form of document.querySelectorAll("form[data-asking]")) asking(form);
