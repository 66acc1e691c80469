// Names and keyboard access that the theme and the gallery leave out, for readers without a mouse or a screen.
document.addEventListener("DOMContentLoaded", () => {
  for (const button of document.querySelectorAll(".search-button-field")) {
    button.setAttribute("aria-label", button.textContent.trim().replace(/\s+/g, " "));
  }
  for (const summary of document.querySelectorAll(".bd-sidenav summary")) {
    const link = summary.closest("li").querySelector("a");
    summary.setAttribute("aria-label", `Pages of ${link.textContent.trim()}`);
  }
  for (const card of document.querySelectorAll(".sphx-glr-thumbcontainer")) {
    card.querySelector("a").setAttribute("aria-label", card.querySelector(".sphx-glr-thumbnail-title").textContent);
  }
  for (const table of document.querySelectorAll(".pst-scrollable-table-container > table")) table.tabIndex = 0;
});

// Pictures of several panels are legible on a telephone too: there they scroll inside the page.
window.addEventListener("load", () => {
  for (const picture of document.querySelectorAll(".bd-article p > img")) {
    const around = picture.parentElement;
    if (picture.naturalWidth > 2 * picture.naturalHeight) around.classList.add("wide-picture");
    if (around.scrollWidth > around.clientWidth) around.tabIndex = 0;
  }
});
