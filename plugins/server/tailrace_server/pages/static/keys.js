// The keyboard: `/` finds, j and k (or arrows) walk through the rows of `table.rows`, `?` lists what there is.
// Whoever uses speech or needs other keys can turn the single ones off; that stays so in this browser.

const SWITCH = "single-keys";
const FIND = "input[type=search], [data-find]";
const TYPING = "input:not([type=checkbox], [type=radio], [type=button]), select, textarea, [contenteditable=true]";
const help = document.getElementById("keys");
const single = document.getElementById("keys-single");

function remembered() {
  try { return localStorage.getItem(SWITCH) !== "off"; } catch { return true; }
}

function remember(on) {
  try { localStorage.setItem(SWITCH, on ? "on" : "off"); } catch { /* then it holds for this page */ }
}

function isShown(element) {
  return element.getClientRects().length > 0;
}

function find() {
  const field = [...document.querySelectorAll(FIND)].find(isShown);
  field?.focus();
  field?.select?.();
  return Boolean(field);
}

export function step(by) {
  const rows = [...document.querySelectorAll("table.rows > tbody > tr")].filter(isShown);
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const row = rows[at < 0 ? (by > 0 ? 0 : rows.length - 1) : Math.min(Math.max(at + by, 0), rows.length - 1)];
  const target = row?.querySelector("[data-main]") ?? row?.querySelector("a[href], button, summary");
  target?.focus();
  target?.scrollIntoView({block: "nearest"});
  return Boolean(target);
}

function act(event) {
  if (event.key === "ArrowDown" && event.target.matches(FIND)) return step(1);
  if (event.target.matches(TYPING)) return false;
  const inRows = event.target.closest("table.rows");
  if (inRows && event.key === "ArrowDown") return step(1);
  if (inRows && event.key === "ArrowUp") return step(-1);
  if (!single?.checked) return false;
  if (event.key === "j") return step(1);
  if (event.key === "k") return step(-1);
  if (event.key === "/") return find();
  if (event.key === "?") { help.showModal(); return true; }
  return false;
}

if (help) {
  single.checked = remembered();
  single.addEventListener("change", () => remember(single.checked));
  document.getElementById("keys-open").addEventListener("click", () => help.showModal());
  document.addEventListener("keydown", (event) => {
    const taken = event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing;
    if (!taken && !document.querySelector("dialog[open]") && act(event)) event.preventDefault();
  });
}
