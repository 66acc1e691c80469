// Elements that show answers of the server.

import { requestJson } from "./server.js";

/** An element that shows the answer to a request, and asks again only if the request changes. */
export class Answered {
  constructor(element, draw) {
    this.element = element;
    this.draw = draw;
    this.request = new AbortController();
  }

  async ask(path) {
    if (path === this.path) return;
    this.path = path;
    this.abort();
    this.request = new AbortController();
    this.element.setAttribute("aria-busy", "true");
    try {
      const answer = await requestJson(path, this.request.signal);
      if (path === this.path) this.draw(answer);
    } catch (error) {
      if (error.name === "AbortError" || path !== this.path) return;
      this.element.textContent = error.message;
    }
    this.element.removeAttribute("aria-busy");
  }

  abort() {
    this.request.abort();
  }
}
