// What every page does with a script: theme toggle, local times, focus on errors,
// and sending what an earlier page could not.
import { localise } from "./times.js";
import { sendLeftovers } from "./watched.js";

const toggle = document.querySelector("[data-theme-toggle]");
if (toggle) {
  toggle.hidden = false;
  toggle.addEventListener("click", () => {
    const root = document.documentElement;
    const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
    const next = (root.dataset.theme ?? system) === "dark" ? "light" : "dark";
    root.dataset.theme = next;
    try {
      localStorage.setItem("theme", next);
    } catch {
      // The choice holds for this page only where storage is forbidden.
    }
  });
}

localise(document);

document.querySelector("[data-focus]")?.focus();

const user = document.querySelector('meta[name="user-id"]')?.content;
if (user) {
  const here = document.querySelector("[data-player]")?.dataset.lesson ?? null;
  sendLeftovers(user, here);
  addEventListener("online", () => sendLeftovers(user, here));
}
