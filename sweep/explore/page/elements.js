// Elements of the page.

const SVG = "http://www.w3.org/2000/svg";

/** The control in which a user has typed what is not entered yet. */
let typedInto = null;
document.addEventListener("input", ({ target }) => { typedInto = target; });
for (const end of ["change", "focusout"]) document.addEventListener(end, () => { typedInto = null; });

/** Show a text in an input, unless a user is typing there: the answer to an earlier change may arrive meanwhile. */
export function fillInput(input, text) {
  if (input !== typedInto) input.value = text;
}

/** Return a new element with a class and a text. */
export function make(name, className = "", text = "") {
  const element = document.createElement(name);
  element.className = className;
  element.textContent = text;
  return element;
}

/** Return a new button that calls `act`. */
export function button(text, act, className = "") {
  const element = make("button", className, text);
  element.type = "button";
  element.addEventListener("click", act);
  return element;
}

export function svgElement(name, attributes, text = "") {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.textContent = text;
  return element;
}

export function figure(title, ...content) {
  const whole = make("figure");
  whole.append(make("figcaption", "", title), ...content);
  return whole;
}

export function detailed(title, ...content) {
  const whole = make("details");
  const box = make("div", "scroll");
  box.append(...content);
  whole.append(make("summary", "", title), box);
  return whole;
}

/** Return a command with a button that copies it. */
export function command(sentence, text) {
  const box = make("div", "command");
  const code = make("code", "", text);
  const copy = button("Copy", async () => {
    try {
      await navigator.clipboard.writeText(text);
      copy.textContent = "Copied";
    } catch {
      // Without permission for the clipboard, the text is selected for Ctrl-C.
      getSelection().selectAllChildren(code);
    }
  });
  box.append(make("p", "note", sentence), code, copy);
  return box;
}
