// The lecture player: plays, resumes, renews its signed address, and reports what
// was really watched.
import { call, patience } from "./net.js";
import { total, union } from "./ranges.js";
import { thumbnails } from "./thumbnails.js";
import { Unsent } from "./watched.js";

const SEND_EVERY_MS = 10_000;
const TICK_MS = 200;
const RENEW_BEFORE_MS = 60_000;

const clock = (ms) => {
  const s = Math.max(0, Math.floor(ms / 1000));
  const [h, m, rest] = [Math.floor(s / 3600), Math.floor(s / 60) % 60, s % 60];
  const two = (n) => String(n).padStart(2, "0");
  return h ? `${h}:${two(m)}:${two(rest)}` : `${m}:${two(rest)}`;
};

// Collects the ranges that were played. A tick counts only when the position moved
// forward no faster than the playback rate explains, so that seeking never counts.
class Recorder {
  constructor(video, durationMs, add) {
    Object.assign(this, { video, durationMs, add, from: null, at: 0 });
    // Also before it plays: the first instants are over when a browser says so.
    for (const name of ["loadedmetadata", "playing", "seeked"]) {
      video.addEventListener(name, () => this.start());
    }
    // A pause or a stall ends no range: it goes on from the same instant afterwards.
    for (const name of ["timeupdate", "ratechange", "pause", "waiting"]) {
      video.addEventListener(name, () => this.tick());
    }
    for (const name of ["seeking", "emptied"]) {
      video.addEventListener(name, () => {
        this.from = null;
      });
    }
    video.addEventListener("ended", () => this.finish());
    setInterval(() => this.tick(), TICK_MS);
  }

  get now() {
    return Math.min(this.durationMs, Math.floor(this.video.currentTime * 1000));
  }

  start() {
    if (this.from !== null && !this.video.seeking) {
      this.tick();
      return;
    }
    this.from = this.video.seeking ? null : this.now;
    this.at = performance.now();
  }

  tick() {
    if (this.from === null) {
      if (!this.video.paused && !this.video.seeking && this.video.readyState > 2) {
        this.start();
      }
      return;
    }
    if (this.video.seeking) {
      this.from = null;
      return;
    }
    const [now, at] = [this.now, performance.now()];
    const moved = now - this.from;
    const rate = Math.max(this.video.playbackRate, this.rate ?? 0);
    // Half a second of slack: browsers report positions in coarse steps.
    if (moved > 0 && moved <= (at - this.at) * rate * 1.05 + 500) {
      this.add([[this.from, now]], now);
    }
    this.from = now;
    this.at = at;
    this.rate = this.video.playbackRate;
  }

  finish() {
    const now = this.now;
    if (this.durationMs - now < 1500 && now > 0) {
      this.add([[Math.max(0, now - 250), this.durationMs]], 0);
    }
    this.from = null;
  }
}

// Plays an adaptive stream by the best means there is.
class Source {
  constructor(video, root, offsetMs) {
    Object.assign(this, { video, asset: root.dataset.asset, offsetMs });
    this.hlsScript = root.dataset.hlsScript ?? "";
    this.grant = {
      playlist_url: root.dataset.playlist,
      progressive_url: root.dataset.progressive || null,
      thumbnails_url: root.dataset.thumbnails || null,
      captions: [],
      expires_at: root.dataset.expiresAt,
    };
    this.hls = null;
  }

  get expiresInMs() {
    return Date.parse(this.grant.expires_at) - (Date.now() + this.offsetMs);
  }

  async load(positionMs, { progressive = false, play = false } = {}) {
    const { video, grant } = this;
    this.hls?.destroy();
    this.hls = null;
    const was = { rate: video.playbackRate };
    for (const source of video.querySelectorAll("source")) {
      source.remove();
    }
    const native = video.canPlayType("application/vnd.apple.mpegurl") !== "";
    const Hls = native || progressive ? null : await this.#script();
    this.kind = "progressive";
    if (Hls?.isSupported() && !progressive) {
      this.kind = "hls.js";
      // A worker would need a blob: script, which the content policy forbids.
      this.hls = new Hls({
        enableWorker: false,
        enableWebVTT: false,
        startPosition: positionMs / 1000,
      });
      this.hls.on(Hls.Events.ERROR, (_, data) => {
        if (data.fatal) {
          video.dispatchEvent(new CustomEvent("streamlost"));
        }
      });
      this.hls.loadSource(grant.playlist_url);
      this.hls.attachMedia(video);
    } else if (native && !progressive) {
      this.kind = "native";
      video.src = grant.playlist_url;
    } else if (grant.progressive_url) {
      video.src = grant.progressive_url;
    } else {
      throw new Error("This browser cannot play the lecture.");
    }
    const resume = () => {
      video.defaultPlaybackRate = was.rate;
      video.playbackRate = was.rate;
      if (positionMs > 0 && positionMs < video.duration * 1000 - 3000) {
        video.currentTime = positionMs / 1000;
      }
      if (play) {
        // A browser may refuse to start by itself; the play button still works.
        video.play().catch(() => {});
      }
    };
    video.addEventListener("loadedmetadata", resume, { once: true });
    if (this.hls === null) {
      video.load();
    }
  }

  async renew() {
    this.grant = await call(
      "POST",
      `/api/v1/media/${encodeURIComponent(this.asset)}/playback`,
    );
    for (const track of this.video.querySelectorAll("track")) {
      const fresh = this.grant.captions?.find((each) => each.language === track.srclang);
      if (fresh && track.readyState !== HTMLTrackElement.LOADED) {
        track.src = fresh.url;
      }
    }
  }

  async #script() {
    if (!this.hlsScript) {
      return null;
    }
    if (!window.Hls) {
      await new Promise((resolve) => {
        const script = document.createElement("script");
        script.src = this.hlsScript;
        script.onload = resolve;
        script.onerror = resolve;
        document.head.append(script);
      });
    }
    return window.Hls ?? null;
  }
}

class Player {
  constructor(root) {
    this.root = root;
    this.video = root.querySelector("video");
    this.$ = (name) => root.querySelector(`[data-${name}]`);
    const data = root.dataset;
    this.durationMs = Number(data.durationMs);
    this.positionMs = Number(data.positionMs);
    this.watched = union(JSON.parse(data.watched));
    this.unsent = new Unsent(data.user, data.lesson, Number(data.epoch));
    this.watched = union(this.watched, this.unsent.ranges);
    this.failures = 0;
    this.renewedAt = -Infinity;
    this.losses = 0;
    // Whether the learner has it playing: a browser also pauses what breaks off.
    this.wantsToPlay = false;
    this.source = new Source(this.video, root, Date.parse(data.now) - Date.now());
    this.recorder = new Recorder(this.video, this.durationMs, (ranges, position) => {
      this.watched = union(this.watched, ranges);
      this.unsent.add(ranges, position);
      this.showRanges();
    });
  }

  async start() {
    this.video.controls = false;
    this.$("controls").hidden = false;
    this.wireControls();
    this.wireKeys();
    this.wireSending();
    this.wireStream();
    this.showRanges();
    await this.reload(this.positionMs);
    this.preview = thumbnails(this.source.grant.thumbnails_url);
    if (!this.unsent.isEmpty) {
      this.send();
    }
  }

  async reload(positionMs, options = {}) {
    try {
      await this.source.load(positionMs, { ...options, play: this.wantsToPlay });
      this.say("");
    } catch (error) {
      this.say(error.message);
    }
  }

  say(text) {
    this.$("message").textContent = text;
    this.$("message").hidden = !text;
  }

  // Sending

  state(text, tone = "") {
    const line = this.$("state");
    if (line.textContent !== text) {
      line.textContent = text;
    }
    line.dataset.tone = tone;
  }

  wireSending() {
    setInterval(() => this.send(), SEND_EVERY_MS);
    this.video.addEventListener("pause", () => this.send());
    this.video.addEventListener("seeked", () => {
      this.unsent.add([], this.recorder.now);
      this.send();
    });
    addEventListener("online", () => {
      this.failures = 0;
      clearTimeout(this.timer);
      this.timer = null;
      this.send();
    });
    addEventListener("offline", () => this.state("Offline: kept on this device", "warn"));
    const leave = () => {
      this.recorder.tick();
      this.send({ keepalive: true });
    };
    addEventListener("pagehide", leave);
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) {
        leave();
      }
    });
  }

  async send({ keepalive = false } = {}) {
    if (this.sending && !keepalive) {
      this.again = true;
      return;
    }
    if (this.unsent.isEmpty || (this.timer && !keepalive)) {
      return;
    }
    this.sending = true;
    try {
      const answer = await this.unsent.send({ keepalive });
      this.failures = 0;
      this.state(answer?.completed_at ? "Saved. This lesson is finished." : "Saved");
    } catch (refused) {
      this.refused(refused);
    } finally {
      this.sending = false;
    }
    if (this.again) {
      this.again = false;
      this.send();
    }
  }

  refused(refused) {
    this.failures += 1;
    if (refused.status === 401) {
      this.state("Signed out: kept on this device. Load the page again to sign in.", "warn");
    } else if (refused.passes) {
      this.state("No connection: kept on this device, trying again", "warn");
    } else {
      this.state(`Not saved: ${refused.message}`, "warn");
    }
    // What will not pass by itself is tried again all the same, only seldom: another
    // tab may have signed in.
    const waitS = refused.passes ? patience(this.failures, refused) : 60;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.timer = null;
      this.send();
    }, waitS * 1000);
  }

  showRanges() {
    const svg = this.$("ranges");
    const shapes = this.watched.map(([start, end]) => {
      const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      const place = { x: start, y: 0, width: end - start, height: 10 };
      for (const [name, value] of Object.entries(place)) {
        rect.setAttribute(name, value);
      }
      return rect;
    });
    svg.replaceChildren(...shapes);
    const share = Math.floor((100 * total(this.watched)) / this.durationMs);
    this.$("share").textContent = `${Math.min(100, share)} %`;
  }

  // The stream

  wireStream() {
    const { video } = this;
    const lost = () => this.recover();
    video.addEventListener("play", () => {
      this.wantsToPlay = true;
    });
    for (const name of ["pause", "ended"]) {
      video.addEventListener(name, () => {
        this.wantsToPlay = this.wantsToPlay && video.error !== null;
      });
    }
    addEventListener("online", () => this.comeBack());
    video.addEventListener("error", lost);
    video.addEventListener("streamlost", lost);
    setInterval(() => {
      if (!video.paused && this.source.expiresInMs < RENEW_BEFORE_MS) {
        this.renew();
      }
    }, 5000);
    video.addEventListener("play", () => {
      if (this.source.expiresInMs < RENEW_BEFORE_MS) {
        this.renew();
      }
    });
  }

  async renew() {
    if (this.renewing) {
      return false;
    }
    this.renewing = true;
    clearTimeout(this.comingBack);
    try {
      await this.source.renew();
      this.recorder.tick();
      const positionMs = this.recorder.now || this.positionMs;
      this.renewedAt = performance.now();
      this.losses = 0;
      await this.reload(positionMs);
      return true;
    } catch (refused) {
      this.broken = true;
      if (refused.status === 401) {
        this.say("You are signed out. Load the page again to go on; your progress is kept.");
      } else if (refused.passes) {
        this.say("The connection is lost. The lecture goes on when it is back.");
        this.losses += 1;
        const waitMs = patience(this.losses, refused) * 1000;
        this.comingBack = setTimeout(() => this.comeBack(), waitMs);
      } else {
        this.say(`The lecture cannot be loaded: ${refused.message}. Press play to try again.`);
      }
      return false;
    } finally {
      this.renewing = false;
    }
  }

  comeBack() {
    if (this.broken) {
      this.broken = false;
      this.renew();
    }
  }

  // The address may have expired or the network gone: renew once and go on at the
  // same position; when that fails soon again, take the file instead of the stream.
  async recover() {
    this.recorder.tick();
    if (performance.now() - this.renewedAt > 20_000) {
      await this.renew();
    } else if (this.source.kind !== "progressive" && this.source.grant.progressive_url) {
      await this.reload(this.recorder.now || this.positionMs, { progressive: true });
    } else {
      this.say("The lecture stopped loading. Check the connection, then press play.");
      this.broken = true;
    }
  }

  // Controls

  async toggle() {
    if (this.broken) {
      this.broken = false;
      if (!(await this.renew())) {
        return;
      }
    }
    if (this.video.paused) {
      await this.video.play().catch((error) => {
        if (error.name !== "AbortError") {
          this.say("The browser did not start the lecture. Press play again.");
        }
      });
    } else {
      this.video.pause();
    }
  }

  seek(ms) {
    this.video.currentTime = Math.max(0, Math.min(this.durationMs, ms)) / 1000;
  }

  wireControls() {
    const { video, $ } = this;
    $("play").addEventListener("click", () => this.toggle());
    video.addEventListener("click", () => this.toggle());
    const icon = $("play-icon").querySelector("path");
    for (const [name, text, path] of [
      ["play", "Pause", "M8 5v14M16 5v14"],
      ["pause", "Play", "M7 4.5v15l12-7.5z"],
    ]) {
      video.addEventListener(name, () => {
        this.root.toggleAttribute("data-begun", true);
        $("play-text").textContent = text;
        icon.setAttribute("d", path);
      });
    }
    const bar = $("seek");
    const show = () => {
      if (!this.dragging) {
        bar.value = String(this.recorder.now);
      }
      bar.setAttribute("aria-valuetext",
        `${clock(Number(bar.value))} of ${clock(this.durationMs)}`);
      $("now").textContent = clock(Number(bar.value));
    };
    for (const name of ["timeupdate", "seeked", "loadedmetadata"]) {
      video.addEventListener(name, show);
    }
    bar.addEventListener("input", () => {
      this.dragging = true;
      show();
    });
    bar.addEventListener("change", () => {
      this.dragging = false;
      this.seek(Number(bar.value));
    });
    bar.addEventListener("pointermove", (event) => this.showPreview(event));
    bar.addEventListener("pointerleave", () => {
      $("preview").hidden = true;
      $("preview-time").hidden = true;
    });
    $("speed").addEventListener("change", (event) => {
      this.recorder.tick();
      video.playbackRate = Number(event.target.value);
    });
    $("mute").addEventListener("click", () => {
      video.muted = !video.muted;
    });
    video.addEventListener("volumechange", () => {
      $("mute").setAttribute("aria-pressed", String(video.muted));
    });
    $("fullscreen").addEventListener("click", () => this.fullscreen());
    const captions = $("captions");
    if (captions) {
      const shown = [...video.textTracks].find((track) => track.mode === "showing");
      captions.value = shown?.language ?? "";
      captions.addEventListener("change", () => this.caption(captions.value));
    }
  }

  caption(language) {
    for (const track of this.video.textTracks) {
      track.mode = track.language === language ? "showing" : "disabled";
    }
  }

  fullscreen() {
    const change = document.fullscreenElement
      ? document.exitFullscreen()
      : this.root.requestFullscreen?.() ?? this.video.webkitEnterFullscreen?.();
    change?.catch?.(() => this.say("The browser does not allow full screen here."));
  }

  async showPreview(event) {
    const bar = this.$("seek");
    const box = bar.getBoundingClientRect();
    const at = Math.max(0, Math.min(1, (event.clientX - box.left) / box.width));
    const canvas = this.$("preview");
    const label = this.$("preview-time");
    const left = Math.max(0, Math.min(box.width - 160, at * box.width - 80));
    // Set through the object model: the content policy forbids style in markup only.
    canvas.style.left = `${left}px`;
    label.style.left = `${left}px`;
    label.textContent = clock(at * this.durationMs);
    label.hidden = false;
    const drawn = await this.preview?.(canvas, at * this.durationMs);
    canvas.hidden = !drawn || label.hidden;
  }

  wireKeys() {
    const own = "input:not([type=range]), select, textarea, a, summary";
    const actions = {
      " ": () => this.toggle(),
      k: () => this.toggle(),
      ArrowLeft: () => this.seek(this.recorder.now - 5000),
      ArrowRight: () => this.seek(this.recorder.now + 5000),
      ArrowUp: () => this.louder(0.1),
      ArrowDown: () => this.louder(-0.1),
      f: () => this.fullscreen(),
      m: () => this.$("mute").click(),
      c: () => {
        const captions = this.$("captions");
        if (captions) {
          captions.value = captions.value ? "" : captions.options[1].value;
          this.caption(captions.value);
        }
      },
    };
    document.addEventListener("keydown", (event) => {
      const { target } = event;
      const inside = this.root.contains(target) || target === document.body
        || target.id === "main";
      if (!inside || event.ctrlKey || event.metaKey || event.altKey
        || target.matches(own) || (target.matches("button") && event.key === " ")) {
        return;
      }
      const action = actions[event.key];
      if (action) {
        event.preventDefault();
        action();
      }
    });
  }

  louder(by) {
    this.video.muted = false;
    this.video.volume = Math.max(0, Math.min(1, this.video.volume + by));
  }
}

const root = document.querySelector("[data-player]");
if (root) {
  new Player(root).start();
}
