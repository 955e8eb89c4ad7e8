// Uploads a lecture in parts: shows how far it is, pauses, and goes on after a lost
// connection or a reload when the same file is chosen again.
import { Refusal, call, kept, patience } from "./net.js";

const AT_ONCE = 3;

const size = (bytes) => {
  const units = ["bytes", "kB", "MB", "GB", "TB"];
  let power = 0;
  let rest = bytes;
  while (rest >= 1000 && power < units.length - 1) {
    rest /= 1000;
    power += 1;
  }
  return `${rest >= 100 || power === 0 ? Math.floor(rest) : Math.floor(rest * 10) / 10} ${units[power]}`;
};

// fetch cannot tell how much of a body has gone; XMLHttpRequest can.
function putPart(path, blob, signal, progress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    signal.addEventListener("abort", abort, { once: true });
    request.upload.onprogress = (event) => progress(event.loaded);
    request.onabort = () => reject(new DOMException("paused", "AbortError"));
    request.onerror = () => reject(new Refusal(0, "no connection"));
    request.onload = () => {
      if (request.status >= 200 && request.status < 300) {
        resolve();
        return;
      }
      let detail = "";
      try {
        const problem = JSON.parse(request.responseText);
        detail = problem.detail || problem.title || "";
      } catch {
        // A proxy may answer with something that is not JSON; the status says enough.
      }
      const retry = Number.parseInt(request.getResponseHeader("retry-after") ?? "", 10);
      reject(new Refusal(request.status, detail, Number.isNaN(retry) ? null : retry));
    };
    request.onloadend = () => signal.removeEventListener("abort", abort);
    request.open("PUT", path);
    request.setRequestHeader("content-type", "application/octet-stream");
    request.setRequestHeader(
      "x-csrf-token",
      document.querySelector('meta[name="csrf-token"]').content,
    );
    request.send(blob);
  });
}

class Upload {
  constructor(form, file) {
    Object.assign(this, { form, file });
    const { course, lesson } = form.dataset;
    this.target = { course, lesson };
    this.key = `upload:${course}:${lesson}:${file.name}:${file.size}:${file.lastModified}`;
    this.sent = new Map();
  }

  async open() {
    const known = kept.read(this.key);
    if (known) {
      try {
        return await call("GET", `/api/v1/uploads/${encodeURIComponent(known)}`);
      } catch (refused) {
        if (refused.status !== 404 && refused.status !== 410) {
          throw refused;
        }
        // That upload was given up; a new one begins.
        kept.drop(this.key);
      }
    }
    const opened = await call("POST", "/api/v1/uploads", {
      ...this.target,
      filename: this.file.name,
      fingerprint: String(this.file.lastModified),
      size_bytes: this.file.size,
      content_type: this.file.type || "application/octet-stream",
    });
    kept.write(this.key, opened.upload_id);
    return opened;
  }

  part(number) {
    const start = (number - 1) * this.partBytes;
    return this.file.slice(start, Math.min(this.file.size, start + this.partBytes));
  }

  get sentBytes() {
    return [...this.sent.values()].reduce((sum, bytes) => sum + bytes, 0);
  }

  // Resolves when everything has arrived; an AbortError means that it was paused.
  async run(signal, { progress, waiting }) {
    const opened = await this.patiently(() => this.open(), signal, waiting);
    this.partBytes = opened.part_bytes;
    const count = Math.max(1, Math.ceil(this.file.size / this.partBytes));
    this.sent.clear();
    for (const number of opened.parts) {
      this.sent.set(number, this.part(number).size);
    }
    progress(this.sentBytes);
    const todo = Array.from({ length: count }, (_, at) => at + 1)
      .filter((number) => !this.sent.has(number));
    const base = `/api/v1/uploads/${encodeURIComponent(opened.upload_id)}`;
    const worker = async () => {
      for (let number = todo.shift(); number !== undefined; number = todo.shift()) {
        const blob = this.part(number);
        const at = number;
        await this.patiently(
          () => putPart(`${base}/parts/${at}`, blob, signal, (bytes) => {
            this.sent.set(at, Math.min(bytes, blob.size));
            progress(this.sentBytes);
          }),
          signal,
          waiting,
        );
        this.sent.set(at, blob.size);
        progress(this.sentBytes);
      }
    };
    await Promise.all(Array.from({ length: Math.min(AT_ONCE, count) }, worker));
    await this.patiently(() => call("POST", `${base}/complete`), signal, waiting);
    kept.drop(this.key);
  }

  async patiently(action, signal, waiting) {
    for (let failures = 1; ; failures += 1) {
      signal.throwIfAborted();
      try {
        return await action();
      } catch (refused) {
        if (!(refused instanceof Refusal) || !refused.passes) {
          throw refused;
        }
        waiting(refused);
        await new Promise((resolve) => {
          const timer = setTimeout(resolve, patience(failures, refused) * 1000);
          const now = () => {
            clearTimeout(timer);
            resolve();
          };
          addEventListener("online", now, { once: true });
          signal.addEventListener("abort", now, { once: true });
        });
      }
    }
  }
}

function wire(form) {
  const $ = (name) => form.querySelector(`[data-${name}]`);
  const field = form.querySelector('input[type="file"]');
  let upload = null;
  let control = null;
  const state = (text) => {
    $("state").textContent = text;
  };
  const stop = (error) => {
    control = null;
    const paused = error.name === "AbortError";
    $("pause").textContent = "Go on";
    state(paused
      ? `Paused at ${size(upload.sentBytes)}. It goes on where it stopped.`
      : error.status === 401
        ? "You are signed out. Load the page again, sign in and choose the same file: it goes on where it stopped."
        : `Stopped: ${error.message}`);
  };
  const run = async () => {
    control = new AbortController();
    $("pause").textContent = "Pause";
    state("Opening the upload …");
    try {
      await upload.run(control.signal, {
        progress: (bytes) => {
          const percent = upload.file.size ? Math.floor((100 * bytes) / upload.file.size) : 100;
          $("bar").value = percent;
          $("percent").textContent = `${percent} %`;
          // Told in steps, so that a screen reader is not read every number.
          if (percent % 10 === 0 || !$("state").textContent.startsWith("Uploading")) {
            state(`Uploading: ${size(bytes)} of ${size(upload.file.size)}`);
          }
        },
        waiting: () => state("No connection. Trying again …"),
      });
    } catch (error) {
      // The other workers stop with the one that failed.
      control?.abort();
      stop(error);
      return;
    }
    state("Uploaded. Processing begins by itself.");
    $("pause").hidden = true;
    location.assign(form.dataset.done);
  };
  field.addEventListener("change", () => {
    const file = field.files[0];
    const tooLarge = file && file.size > Number(form.dataset.largest);
    const empty = file && file.size === 0;
    $("progress").hidden = !tooLarge && !empty;
    state(tooLarge
      ? `The file has ${size(file.size)}; at most ${size(Number(form.dataset.largest))} are taken.`
      : empty ? "The file is empty." : "");
    $("start").disabled = !file || tooLarge || empty;
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    upload = new Upload(form, field.files[0]);
    field.disabled = true;
    $("start").hidden = true;
    $("pause").hidden = false;
    $("progress").hidden = false;
    run();
  });
  $("pause").addEventListener("click", () => {
    if (control) {
      control.abort();
    } else {
      run();
    }
  });
  addEventListener("beforeunload", (event) => {
    if (control) {
      event.preventDefault();
    }
  });
}

const form = document.querySelector("[data-upload]");
if (form) {
  wire(form);
}
