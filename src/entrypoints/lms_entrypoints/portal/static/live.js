// Keeps a region of the page fresh: fetches the page again and swaps the region.
import { localise } from "./times.js";

const region = document.querySelector("[data-live]");
const everyS = Number.parseInt(region?.dataset.live ?? "", 10);

async function refresh() {
  // What somebody works in, and what nobody looks at, is left alone.
  if (document.hidden || region.contains(document.activeElement)) {
    return true;
  }
  const response = await fetch(location.href, { headers: { accept: "text/html" } });
  if (!response.ok || response.redirected) {
    return response.status >= 500;
  }
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const fresh = page.getElementById(region.id);
  if (!fresh) {
    return false;
  }
  localise(fresh);
  region.replaceChildren(...fresh.childNodes);
  return fresh.dataset.live !== "";
}

async function loop() {
  let goesOn = true;
  try {
    goesOn = await refresh();
  } catch {
    // Without a connection the page stays as it is until the next turn.
  }
  if (goesOn) {
    setTimeout(loop, everyS * 1000);
  }
}

if (everyS > 0) {
  setTimeout(loop, everyS * 1000);
}
