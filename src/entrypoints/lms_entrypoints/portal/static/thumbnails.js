// Pictures for the seek bar, from a WebVTT file whose cues name parts of an image.

const toMs = (text) => text.trim().split(":").reduce((sum, part) => sum * 60 + Number(part), 0) * 1000;

export function parse(text, base) {
  const cues = [];
  for (const block of text.replaceAll("\r", "").split("\n\n")) {
    const lines = block.split("\n");
    const at = lines.findIndex((line) => line.includes("-->"));
    const place = lines[at + 1]?.match(/^(.*)#xywh=(\d+),(\d+),(\d+),(\d+)$/);
    if (at >= 0 && place) {
      const [start, end] = lines[at].split("-->").map((part) => toMs(part.trim().split(" ")[0]));
      const url = new URL(place[1], base);
      // One signature covers everything below the stream's prefix.
      url.search ||= base.search;
      cues.push({ start, end, url: url.href, box: place.slice(2, 6).map(Number) });
    }
  }
  return cues;
}

// Returns a function that draws the picture for a position, and tells whether it did.
export function thumbnails(address) {
  if (!address) {
    return async () => false;
  }
  const images = new Map();
  let cues = null;
  const load = (url) => new Promise((resolve) => {
    const image = new Image();
    image.onload = () => resolve(image);
    image.onerror = () => resolve(null);
    image.src = url;
  });
  const fetched = async () => {
    const base = new URL(address, location.href);
    const response = await fetch(base, { credentials: "same-origin" }).catch(() => null);
    return response?.ok ? parse(await response.text(), base) : [];
  };
  return async (canvas, ms) => {
    cues ??= fetched();
    const cue = (await cues).find((each) => ms >= each.start && ms < each.end);
    if (!cue) {
      return false;
    }
    if (!images.has(cue.url)) {
      images.set(cue.url, load(cue.url));
    }
    const image = await images.get(cue.url);
    if (!image) {
      return false;
    }
    const [x, y, width, height] = cue.box;
    canvas.height = Math.round((canvas.width * height) / width);
    canvas.getContext("2d").drawImage(image, x, y, width, height, 0, 0, canvas.width, canvas.height);
    return true;
  };
}
