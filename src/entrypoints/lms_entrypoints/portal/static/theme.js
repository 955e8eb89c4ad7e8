// Sets the chosen theme before the page is painted. Without a choice the system's
// own applies, and so it does where storage is closed to this page.
try {
  const chosen = localStorage.getItem("theme");
  if (chosen === "light" || chosen === "dark") {
    document.documentElement.dataset.theme = chosen;
  }
} catch {
  // Storage may be forbidden; the stylesheet follows the system then.
}
