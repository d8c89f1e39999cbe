// A source in colour while it is typed: a layer behind the field, whose own letters nobody sees then, has the same
// lines in the same places. Only lines that can be seen are coloured, by the rules of `drawing/highlight.py`.

const LONG = 2000;        // characters; longer lines than this stay as they are
const MOST = 2_000_000;   // characters of a source; of a longer one all lines do
const BEYOND = 20;        // lines above and below those that are seen
const W = String.raw`\p{L}\p{N}_`;
const WORDS = new RegExp([
  String.raw`(?<expression>\{\{.*?(?:\}\}|$)|\{%.*?(?:%\}|$))`,
  String.raw`(?<comment>(?:(?<=\s)|^)#.*)`,
  String.raw`(?<key>(?:"[^"]*"|'[^']*'|[${W}$.<][${W}$.<@\/\-]*)(?=\s*:(?:\s|$)))`,
  String.raw`(?<text>"(?:\\.|[^"\\])*"?|'(?:''|[^'])*'?)`,
  String.raw`(?<number>(?<![${W}.:\-])(?:-?\d+(?:\.\d+)?|true|false|null|~)(?=\s*(?:$|[,\]\}]|\s#)))`,
  String.raw`(?<anchor>(?<![${W}.])[&*!][${W}!.\-]+)`,
  String.raw`(?<plain>[${W}.\/:$@+=%<>\(\)?!*&~^;\|\\\x60\-]+|.)`,
].join("|"), "gu");
const BLOCK = /^(?:[^#"']*[\s:-]|)[|>][+-]?\d?[+-]?\s*(?:\s#.*)?$/;   // begins a text of several lines
const EXPRESSION = /\{\{.*?(?:\}\}|$)|\{%.*?(?:%\}|$)/g;

export function colour(field, layer) {
  let drawn = [0, 0];   // the lines that are in colour
  let pitch = 0;        // pixels from one line to the next

  function measure(count) {
    const {lineHeight, paddingTop} = getComputedStyle(field);
    const whole = field.scrollHeight - parseFloat(paddingTop);   // a zoomed page has parts of pixels, which add up
    pitch = field.scrollHeight > field.clientHeight ? whole / count : parseFloat(lineHeight);
  }

  function seen() {
    return [Math.floor(field.scrollTop / pitch), Math.ceil((field.scrollTop + field.clientHeight) / pitch)];
  }

  function draw() {
    const plain = field.value.length > MOST;
    field.classList.toggle("coloured", !plain);
    if (plain) return layer.replaceChildren();
    const lines = field.value.split("\n");
    measure(lines.length);
    const [first, last] = seen();
    drawn = [Math.max(0, first - BEYOND), Math.min(lines.length, last + BEYOND)];
    move();
    const fresh = new DocumentFragment();
    for (const one of coloured(lines, ...drawn)) fresh.append(one);   // there may be more than a call takes
    layer.replaceChildren(fresh);
  }

  function move() {
    layer.style.transform = `translate(${-field.scrollLeft}px, ${drawn[0] * pitch - field.scrollTop}px)`;
  }

  function scrolled() {
    const [first, last] = seen();
    if (first < drawn[0] || last > drawn[1]) draw();
    else move();
  }

  field.addEventListener("input", draw);
  field.addEventListener("scroll", scrolled);
  new ResizeObserver(draw).observe(field);
  draw();
}

function* coloured(lines, first, last) {
  let block = null;   // the indent of the line that began the text we are in
  for (const [number, line] of lines.slice(0, last).entries()) {
    const long = line.length > LONG;
    const indent = line.search(/[^ ]|$/);
    const inText = block !== null && (!line.trim() || indent > block);
    if (number >= first) yield* long ? [line] : inText ? texts(line) : words(line);
    if (number >= first) yield "\n";
    if (!long && !inText) block = BLOCK.test(line) ? indent : null;
  }
}

function* words(line) {
  let plain = "";
  for (const {0: word, groups} of line.matchAll(WORDS)) {
    const kind = Object.keys(groups).find((name) => groups[name] !== undefined);
    if (kind === "plain") {
      plain += word;
      continue;
    }
    yield plain;
    yield kind === "text" ? span(kind, ...texts(word)) : span(kind, word);
    plain = "";
  }
  yield plain;
}

function* texts(line) {
  let at = 0;
  for (const {0: word, index} of line.matchAll(EXPRESSION)) {
    yield line.slice(at, index);
    yield span("expression", word);
    at = index + word.length;
  }
  yield line.slice(at);
}

function span(kind, ...content) {
  const element = document.createElement("span");
  element.className = `y-${kind}`;
  element.append(...content);
  return element;
}
