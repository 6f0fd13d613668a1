// Which view is shown: the one that the address names, #overview or #n02119789 say.
"use strict";

const title = document.title;

function show(view, heading) {
  for (const section of document.querySelectorAll(".view")) section.classList.toggle("current", section === view);
  const name = view.id === "class" ? "classes" : view.id;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.getAttribute("href") === `#${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = view.id === "overview" ? title : `${heading} – ${title}`;
}

async function route(moved) {
  const name = location.hash.slice(1) || "overview";
  if (name === "main") return;
  let view = document.getElementById(name);
  if (/^n\d{8}$/.test(name) && (await showClass(name))) view = document.getElementById("class");
  if (!view?.matches(".view")) view = document.getElementById("overview");
  const heading = view.querySelector("h1");
  show(view, heading.textContent);
  if (view.id === "classes") growTree();
  if (view.id === "pictures") drawCharts();
  scrollTo({ top: 0, behavior: "instant" }); // the browser has gone to the section, which lies below the header
  if (moved) heading.focus({ preventScroll: true });
}

addEventListener("hashchange", () => route(true));
tellRun();
route(false);
