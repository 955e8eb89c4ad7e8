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
