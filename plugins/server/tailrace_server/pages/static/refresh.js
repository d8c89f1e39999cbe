// Loads a page again and replaces its parts: for forms and links with `data-refresh`, and when a stream has news.
// A part is an element with an id and `data-part`. What has the focus, and what was unfolded, stays so.

import {localTimes} from "./times.js";

const PAUSE = 150;   // ms from the last key to the request of a form
const QUIET = 300;   // ms at least between two loads that news ask for
let running = null;

export async function load(url, {history = null} = {}) {
  running?.abort();
  const mine = (running = new AbortController());
  document.documentElement.classList.add("loading");
  try {
    const answer = await fetch(url, {signal: mine.signal, headers: {Accept: "text/html"}});
    if (answer.redirected && new URL(answer.url).pathname === "/sign-in") return window.location.reload();
    const found = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!answer.ok) throw new Error(found.querySelector("main")?.innerText || answer.statusText);
    if (history) window.history[`${history}State`](null, "", url);
    document.title = found.title;
    replace(found);
    say("");
  } catch (error) {
    if (error.name !== "AbortError") say(error.message);
  } finally {
    if (running === mine) {
      running = null;
      document.documentElement.classList.remove("loading");
    }
  }
}

export function replace(found) {
  localTimes(found);
  for (const part of document.querySelectorAll("[data-part]")) {
    const fresh = part.isConnected && found.getElementById(part.id);
    if (!fresh || fresh.isEqualNode(part)) continue;
    const focus = part.contains(document.activeElement) ? nameOf(document.activeElement) : "";
    const unfolded = [...part.querySelectorAll("details[id][open]")].map((one) => one.id);
    part.replaceWith(document.adoptNode(fresh));
    for (const id of unfolded) document.getElementById(id)?.setAttribute("open", "");
    if (focus) fresh.querySelector(focus)?.focus({preventScroll: true});
    fresh.dispatchEvent(new CustomEvent("replaced", {bubbles: true}));
  }
}

function nameOf(element) {
  if (element.id) return `#${CSS.escape(element.id)}`;
  return element.matches("a[href]") ? `a[href="${CSS.escape(element.getAttribute("href"))}"]` : "";
}

export function say(text) {
  const place = document.getElementById("said");
  if (place) place.textContent = text;
}

function addressOf(form) {
  const filled = [...new FormData(form)].filter(([, value]) => value !== "");
  const query = new URLSearchParams(filled).toString();
  return form.action.split("?")[0] + (query ? `?${query}` : "");
}

export function refreshOn(root) {
  let timer = 0;
  const later = (form, pause) => {
    clearTimeout(timer);
    timer = setTimeout(() => load(addressOf(form), {history: "replace"}), pause);
  };
  root.addEventListener("input", (event) => {
    const form = event.target.form;
    if (form?.matches("form[data-refresh]")) later(form, PAUSE);
  });
  root.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-refresh]")) return;
    event.preventDefault();
    later(event.target, 0);
  });
  root.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-refresh]");
    if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    load(link.href, {history: "push"});
  });
  window.addEventListener("popstate", () => load(location.href));
}

// Only pages that are seen hold a stream: browsers open few connections to one server.
export function follow(url) {
  if (!url) return;
  let source = null;
  let waiting = 0;
  let took = 0;
  const news = () => {
    if (waiting || document.hidden) return;
    waiting = setTimeout(async () => {
      waiting = 0;
      if (running) return news();
      const begun = performance.now();
      await load(location.href);
      took = performance.now() - begun;
    }, Math.max(QUIET, 3 * took));
  };
  const stop = () => { source?.close(); source = null; };
  const start = () => {
    if (source || !url || document.hidden) return;
    source = new EventSource(url);
    source.addEventListener("open", news);   // what happened between the page and its stream
    for (const kind of ["flow_execution", "task_execution", "task_output", "task", "execution", "log"]) {
      source.addEventListener(kind, news);
    }
    source.addEventListener("end", () => { url = ""; stop(); news(); });
  };
  document.addEventListener("visibilitychange", () => document.hidden ? stop() : start());
  window.addEventListener("pagehide", stop);
  window.addEventListener("pageshow", start);
  start();
}
