// What every page does with a script: theme toggle, local times, focus on errors,
// and sending what an earlier page could not.
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

// The server writes UTC; the reader's own time is kinder, and the title keeps UTC.
export function localise(root) {
  const format = new Intl.DateTimeFormat("en-GB", {
    day: "numeric",
    month: "long",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    timeZoneName: "short",
  });
  for (const time of root.querySelectorAll('time[data-localise="minute"]')) {
    time.title = time.textContent;
    time.textContent = format.format(new Date(time.dateTime)).replace(" at ", ", ");
    time.removeAttribute("data-localise");
  }
}
localise(document);

document.querySelector("[data-focus]")?.focus();

const user = document.querySelector('meta[name="user-id"]')?.content;
if (user) {
  const here = document.querySelector("[data-player]")?.dataset.lesson ?? null;
  sendLeftovers(user, here);
  addEventListener("online", () => sendLeftovers(user, here));
}
