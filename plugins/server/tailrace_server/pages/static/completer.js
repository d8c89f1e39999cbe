// Names that fit at the cursor of a field, as the server knows them: a list below it, for keys and for the mouse.

const PAUSE = 90;  // ms from the last key to the request
const BEGINS = /[\p{L}_]\w*$|[.|[]\s*$|\[['"][^'"]*$/u;  // behind this names are wanted without being asked for

export class Completer {
  #field; #list; #address;
  #names = [];
  #at = -1;
  #running = null;
  #timer = 0;

  constructor(field, list, address) {
    [this.#field, this.#list, this.#address] = [field, list, address];
    field.addEventListener("input", (event) => this.#typed(event));
    field.addEventListener("blur", () => this.close());
    list.addEventListener("mousedown", (event) => {  // before the field loses the focus
      event.preventDefault();
      const one = event.target.closest("li");
      if (one) this.#take([...list.children].indexOf(one));
    });
  }

  // Whether a key was meant for the list.
  key(event) {
    if (event.ctrlKey && event.key === " ") this.#ask();
    else if (this.#list.hidden) return false;
    else if (event.key === "ArrowDown" && !event.altKey) this.#mark((this.#at + 1) % this.#names.length);
    else if (event.key === "ArrowUp" && !event.altKey) this.#mark((this.#at - 1 + this.#names.length) % this.#names.length);
    else if (event.key === "Escape") this.close();
    else if (event.key === "Tab" && !event.shiftKey) this.#take(Math.max(this.#at, 0));
    else if (event.key === "Enter" && this.#at >= 0) this.#take(this.#at);
    else return false;
    event.preventDefault();
    return true;
  }

  close() {
    clearTimeout(this.#timer);
    this.#running?.abort();
    this.#list.hidden = true;
    this.#field.removeAttribute("aria-activedescendant");
  }

  #typed(event) {
    clearTimeout(this.#timer);
    const before = this.#field.value.slice(0, this.#field.selectionStart);
    if (event.inputType === "insertReplacementText") return;  // it was taken from the list
    if (event.inputType?.startsWith("insert") || !this.#list.hidden) {
      if (BEGINS.test(before)) this.#timer = setTimeout(() => this.#ask(), PAUSE);
      else this.close();
    }
  }

  async #ask() {
    this.#running?.abort();
    const mine = (this.#running = new AbortController());
    const text = this.#field.value;
    const cursor = this.#field.selectionStart;
    try {
      const url = this.#address(text, [...text.slice(0, cursor)].length);  // the server counts whole characters
      const answer = await fetch(url, {signal: mine.signal, headers: {Accept: "application/json"}});
      if (!answer.ok || this.#field.value !== text || document.activeElement !== this.#field) return;
      this.#show((await answer.json()).names, cursor);
    } catch (error) {
      if (error.name !== "AbortError") this.close();
    }
  }

  #show(names, cursor) {
    const characters = [...this.#field.value];
    const typed = (one) => characters.slice(one.start).join("").slice(0, cursor - this.#offset(one));
    this.#names = names.filter((one) => one.name !== typed(one));
    this.#list.replaceChildren(...this.#names.map((one, number) => {
      const item = document.createElement("li");
      item.id = `completion-${number}`;
      item.role = "option";
      for (const words of [one.name, one.detail]) {
        item.append(Object.assign(document.createElement("span"), {textContent: words}));
      }
      return item;
    }));
    this.#list.hidden = this.#names.length === 0;
    this.#mark(-1);
  }

  #offset(one) {
    return [...this.#field.value].slice(0, one.start).join("").length;
  }

  #mark(at) {
    this.#at = at;
    this.#field.removeAttribute("aria-activedescendant");
    for (const [number, item] of [...this.#list.children].entries()) {
      item.setAttribute("aria-selected", String(number === at));
      if (number !== at) continue;
      item.scrollIntoView({block: "nearest"});
      this.#field.setAttribute("aria-activedescendant", item.id);
    }
  }

  #take(at) {
    const one = this.#names[at];
    if (!one) return this.close();
    const start = this.#offset(one);
    const filters = /\|\s*$/.test(this.#field.value.slice(0, start));
    const takes = one.detail.startsWith("(") && !(filters && one.detail === "()");
    const name = takes ? `${one.name}()` : one.name;
    this.#field.setRangeText(name, start, this.#field.selectionStart, "end");
    if (name.endsWith("()") && one.detail !== "()") {
      const inside = this.#field.selectionStart - 1;
      this.#field.setSelectionRange(inside, inside);
    }
    this.close();
    this.#field.dispatchEvent(new InputEvent("input", {bubbles: true, inputType: "insertReplacementText"}));
  }
}
