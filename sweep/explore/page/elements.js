// Elements of the page.

/** Return a new element with a class and a text. */
export function make(name, className = "", text = "") {
  const element = document.createElement(name);
  element.className = className;
  element.textContent = text;
  return element;
}
