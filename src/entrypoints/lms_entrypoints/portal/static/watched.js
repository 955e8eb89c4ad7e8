// Ranges that were watched and that the server has not confirmed yet.
//
// They are kept on the device by user and lesson until the server says that it has
// them: a lost connection, an ended session or a closed laptop loses nothing. Two
// tabs share the same store, so every write first merges what is there.
import { call, kept } from "./net.js";
import { union, without } from "./ranges.js";

const MOST_RANGES = 500;
const prefix = (user) => `watched:${user}:`;

export class Unsent {
  constructor(user, lesson, epoch) {
    this.key = prefix(user) + lesson;
    this.lesson = lesson;
    this.epoch = epoch;
    this.position = null;
    // What storage refuses to keep is held here, for as long as the page lives.
    this.memory = [];
  }

  get ranges() {
    const stored = kept.read(this.key);
    return union(this.memory, stored?.epoch === this.epoch ? stored.ranges : []);
  }

  add(ranges, position) {
    const all = union(this.ranges, ranges);
    this.position = position;
    this.memory = this.#store(all) ? [] : all;
  }

  get isEmpty() {
    return this.position === null && this.ranges.length === 0;
  }

  // Sends what there is; returns the server's answer, or null with nothing to send.
  async send({ keepalive = false } = {}) {
    const stored = kept.read(this.key);
    const position = this.position ?? (stored?.epoch === this.epoch ? stored.position : null);
    const ranges = this.ranges.slice(0, MOST_RANGES);
    if (ranges.length === 0 && position === null) {
      return null;
    }
    const answer = await call(
      "PUT",
      `/api/v1/progress/${encodeURIComponent(this.lesson)}`,
      // Without a position the server keeps the one it has.
      { watched: ranges, epoch: this.epoch, ...(position === null ? {} : { position_ms: position }) },
      { keepalive },
    );
    // Only what was sent is done with; more may have been watched meanwhile.
    const rest = without(this.ranges, ranges);
    if (this.position === position) {
      this.position = null;
    }
    if (rest.length === 0 && this.position === null) {
      this.memory = [];
      kept.drop(this.key);
    } else {
      this.memory = this.#store(rest) ? [] : rest;
    }
    return answer ?? {};
  }

  #store(ranges) {
    return kept.write(this.key, {
      epoch: this.epoch,
      ranges,
      position: this.position,
    });
  }
}

// Sends what earlier pages could not; what fails stays for the next page.
export async function sendLeftovers(user, except = null) {
  let keys = [];
  try {
    keys = Object.keys(localStorage).filter((key) => key.startsWith(prefix(user)));
  } catch {
    return;
  }
  for (const key of keys) {
    const lesson = key.slice(prefix(user).length);
    const stored = kept.read(key);
    if (lesson !== except && stored !== null) {
      try {
        await new Unsent(user, lesson, stored.epoch).send();
      } catch {
        // It stays where it is, and the next page tries again.
      }
    }
  }
}
