// Buttons with `data-copy` put that text on the clipboard.
import {say} from "./refresh.js";

const SHOWN = 1500;  // ms that a button says it is done

function byHand(text) {  // where the page came over plain http from elsewhere, browsers offer no clipboard
  const field = Object.assign(document.createElement("textarea"), {value: text, className: "hidden-text"});
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  if (!done) throw new Error(text);
}

async function copy(button) {
  const words = button.textContent;
  try {
    if (navigator.clipboard) await navigator.clipboard.writeText(button.dataset.copy);
    else byHand(button.dataset.copy);
  } catch {
    say(`The browser lets nothing be copied. It is: ${button.dataset.copy}`);
    return;
  }
  button.focus();
  button.classList.add("copied");
  button.textContent = "copied";
  setTimeout(() => {
    button.classList.remove("copied");
    button.textContent = words;
  }, SHOWN);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-copy]");
  if (button && !button.classList.contains("copied")) copy(button);
});
