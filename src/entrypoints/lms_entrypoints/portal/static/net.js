// Requests to this site's own API, and small things kept on the device.

const token = () => document.querySelector('meta[name="csrf-token"]')?.content ?? "";

// What the server said, when it did not say yes. `status` is 0 without an answer.
export class Refusal extends Error {
  constructor(status, detail, retryAfterS = null) {
    super(detail || `HTTP ${status}`);
    this.status = status;
    this.retryAfterS = retryAfterS;
  }

  // Whether the same request may succeed later without anybody changing it.
  get passes() {
    return this.status === 0 || this.status === 408 || this.status === 425
      || this.status === 429 || this.status >= 500;
  }
}

async function refusal(response) {
  let detail = "";
  try {
    const problem = await response.json();
    detail = problem.detail || problem.title || "";
  } catch {
    // A proxy may answer with something that is not JSON; the status says enough.
  }
  const retry = Number.parseInt(response.headers.get("retry-after") ?? "", 10);
  return new Refusal(response.status, detail, Number.isNaN(retry) ? null : retry);
}

export async function call(method, path, body, { keepalive = false, signal } = {}) {
  const headers = { accept: "application/json", "x-csrf-token": token() };
  const raw = body instanceof Blob;
  if (body !== undefined) {
    headers["content-type"] = raw ? "application/octet-stream" : "application/json";
  }
  let response;
  try {
    response = await fetch(path, {
      method,
      headers,
      keepalive,
      signal,
      credentials: "same-origin",
      body: body === undefined || raw ? body : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") {
      throw error;
    }
    throw new Refusal(0, "no connection");
  }
  if (!response.ok) {
    throw await refusal(response);
  }
  const text = await response.text();
  return text ? JSON.parse(text) : null;
}

// Seconds to wait before try number `failures`, with some chance, so that a class
// that lost its connection together does not come back together.
export function patience(failures, refused) {
  const most = Math.min(60, 2 ** failures);
  return Math.max(refused?.retryAfterS ?? 0, most / 2 + (Math.random() * most) / 2);
}

export const kept = {
  read(key) {
    try {
      return JSON.parse(localStorage.getItem(key) ?? "null");
    } catch {
      return null;
    }
  },
  // Tells whether it is kept: storage may be full or forbidden.
  write(key, value) {
    try {
      localStorage.setItem(key, JSON.stringify(value));
      return true;
    } catch {
      return false;
    }
  },
  drop(key) {
    try {
      localStorage.removeItem(key);
    } catch {
      // Nothing was kept where storage is forbidden.
    }
  },
};
