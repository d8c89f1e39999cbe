// Durations of what runs: counted on from what the server said (`data-seconds`), in its words.
import {load} from "./refresh.js";

const begun = new WeakMap();  // element → [what the server said, when that was seen]

function words(seconds) {
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  const hours = Math.floor(whole / 3600);
  return hours < 48 ? `${hours} h ${Math.floor(whole / 60) % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

function tick() {
  for (const one of document.querySelectorAll("[data-seconds]")) {
    const said = one.dataset.seconds;
    if (begun.get(one)?.[0] !== said) begun.set(one, [said, performance.now()]);
    one.textContent = words(Number(said) + (performance.now() - begun.get(one)[1]) / 1000);
  }
}

setInterval(tick, 1000);

// Bars of what runs grow too: their page is drawn anew.
setInterval(() => {
  if (!document.hidden && document.querySelector("[data-ticks]") && document.querySelector("[data-seconds]")) load(location.href);
}, 2500);
