// An attempt under way: saves answers while they are given, and counts time down
// from the server's clock.
import { call, kept, patience } from "./net.js";

const SOON_MS = 600;

class Attempt {
  constructor(form) {
    this.form = form;
    const data = form.dataset;
    this.path = `/api/v1/attempts/${encodeURIComponent(data.attempt)}/answers`;
    this.key = `answers:${data.user}:${data.attempt}`;
    // The device's clock may be wrong, but it runs evenly: only its difference counts.
    this.loadedAt = performance.now();
    this.serverNow = Date.parse(data.now);
    this.startedAt = Date.parse(data.startedAt);
    this.dueAt = data.dueAt ? Date.parse(data.dueAt) : null;
    this.lastRevision = 0;
    this.failures = 0;
    // By question: the answer that the server has not confirmed, and its revision.
    this.unsent = kept.read(this.key) ?? {};
    this.state = form.querySelector("[data-save-state]");
  }

  get now() {
    return this.serverNow + performance.now() - this.loadedAt;
  }

  revision() {
    const elapsed = Math.max(0, Math.floor(this.now - this.startedAt));
    this.lastRevision = Math.max(this.lastRevision + 1, elapsed);
    return this.lastRevision;
  }

  start() {
    this.restore();
    this.form.addEventListener("input", (event) => this.changed(event.target));
    this.form.addEventListener("change", (event) => this.changed(event.target));
    this.form.addEventListener("keydown", (event) => {
      // Enter in a field would send the form.
      if (event.key === "Enter" && event.target.matches("input[type=text]")) {
        event.preventDefault();
      }
    });
    addEventListener("online", () => {
      this.failures = 0;
      this.soon(0);
    });
    addEventListener("offline", () => this.say("Offline: kept on this device", "warn"));
    addEventListener("pagehide", () => this.save({ keepalive: true }));
    addEventListener("beforeunload", (event) => {
      if (!this.leaving && Object.keys(this.unsent).length > 0 && !this.stored) {
        event.preventDefault();
      }
    });
    this.form.addEventListener("submit", () => {
      this.leaving = true;
    });
    this.count();
    this.say("Answers are saved while you type");
    if (Object.keys(this.unsent).length > 0) {
      this.soon(0);
    }
    if (this.dueAt !== null) {
      this.form.querySelector("[data-timer]").hidden = false;
      this.tick();
      this.clock = setInterval(() => this.tick(), 500);
    }
  }

  fields(question) {
    return [...this.form.elements].filter((each) => each.dataset?.question === question);
  }

  answer(question) {
    return this.fields(question)
      .filter((each) => (each.type === "text" ? each.value.trim() !== "" : each.checked))
      .map((each) => each.value);
  }

  // Puts back what an earlier page could not save.
  restore() {
    for (const [question, { answer, revision }] of Object.entries(this.unsent)) {
      this.lastRevision = Math.max(this.lastRevision, revision);
      for (const field of this.fields(question)) {
        if (field.type === "text") {
          field.value = answer[0] ?? "";
        } else {
          field.checked = answer.includes(field.value);
        }
      }
    }
  }

  changed(field) {
    const question = field.dataset?.question;
    if (!question) {
      return;
    }
    this.unsent[question] = { answer: this.answer(question), revision: this.revision() };
    this.stored = kept.write(this.key, this.unsent);
    this.say("Saving …");
    this.count();
    this.soon(SOON_MS);
  }

  soon(ms) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.save(), ms);
  }

  // Sends what is unsent, oldest first; tells whether nothing is left.
  async save({ keepalive = false } = {}) {
    if (this.saving && !keepalive) {
      this.again = true;
      return false;
    }
    this.saving = true;
    try {
      for (const [revision, answers] of this.batches()) {
        await call("PUT", this.path, { answers, revision }, { keepalive });
        for (const question of Object.keys(answers)) {
          if (this.unsent[question]?.revision === revision) {
            delete this.unsent[question];
          }
        }
        this.keep();
      }
      this.failures = 0;
      if (Object.keys(this.unsent).length === 0) {
        this.say("All answers are saved", "good");
        return true;
      }
    } catch (refused) {
      this.refused(refused);
      this.lastRefusal = refused;
    } finally {
      this.saving = false;
      if (this.again) {
        this.again = false;
        this.soon(0);
      }
    }
    return false;
  }

  batches() {
    const byRevision = new Map();
    for (const [question, { answer, revision }] of Object.entries(this.unsent)) {
      byRevision.set(revision, { ...byRevision.get(revision), [question]: answer });
    }
    return [...byRevision].sort(([a], [b]) => a - b);
  }

  keep() {
    if (Object.keys(this.unsent).length > 0) {
      this.stored = kept.write(this.key, this.unsent);
    } else {
      kept.drop(this.key);
    }
  }

  refused(refused) {
    this.failures += 1;
    if (refused.status === 401) {
      this.say("Signed out: answers are kept on this device. Sign in again in another tab.", "warn");
    } else if (refused.passes) {
      this.say("No connection: answers are kept on this device, trying again", "warn");
    } else {
      this.say(`Not saved: ${refused.message}`, "warn");
    }
    if (refused.passes || refused.status === 401) {
      this.soon(patience(this.failures, refused) * 1000);
    }
  }

  say(text, tone = "") {
    if (this.state.textContent !== text) {
      this.state.textContent = text;
    }
    this.state.dataset.tone = tone;
  }

  count() {
    const questions = new Set([...this.form.elements]
      .map((each) => each.dataset?.question).filter(Boolean));
    const answered = [...questions].filter((each) => this.answer(each).length > 0).length;
    this.form.querySelector("[data-answered]").textContent =
      `${answered} of ${questions.size} questions answered`;
  }

  tick() {
    const leftS = Math.max(0, Math.ceil((this.dueAt - this.now) / 1000));
    const two = (n) => String(n).padStart(2, "0");
    const hours = Math.floor(leftS / 3600);
    const rest = `${two(Math.floor(leftS / 60) % 60)}:${two(leftS % 60)}`;
    this.form.querySelector("[data-timer]").textContent = `${hours ? `${hours}:` : ""}${rest} left`;
    this.form.querySelector(".timer").dataset.tone = leftS <= 60 ? "warn" : "";
    const warning = document.querySelector("[data-time-warning]");
    for (const [at, text] of [[300, "Five minutes left"], [60, "One minute left"]]) {
      if (leftS <= at && leftS > at - 5 && warning.textContent !== text) {
        warning.textContent = text;
      }
    }
    if (leftS === 0) {
      clearInterval(this.clock);
      this.handIn();
    }
  }

  // Hands in when time is over. Without a connection the page stays, because leaving
  // it would show an error; the server hands in what it has by itself.
  async handIn() {
    this.lastRefusal = null;
    const saved = await this.save();
    const refused = this.lastRefusal;
    if (saved || (refused && !refused.passes && refused.status !== 401)) {
      this.leaving = true;
      this.form.requestSubmit(this.form.querySelector('button[value="submit"]'));
      return;
    }
    this.say("Time is over. Waiting for the connection to hand in; what was saved counts.", "warn");
    setTimeout(() => this.handIn(), 3000);
  }
}

const form = document.querySelector("[data-quiz]");
if (form) {
  new Attempt(form).start();
}
