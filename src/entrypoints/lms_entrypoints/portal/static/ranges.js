// Sets of half-open ranges of milliseconds, as [[start, end], ...] in order.
// Union is the only merge, as on the server, so that nothing depends on order.

export function union(...lists) {
  const sorted = lists.flat().filter(([start, end]) => end > start)
    .sort((a, b) => a[0] - b[0]);
  const result = [];
  for (const [start, end] of sorted) {
    const last = result.at(-1);
    if (last && start <= last[1]) {
      last[1] = Math.max(last[1], end);
    } else {
      result.push([start, end]);
    }
  }
  return result;
}

// The part of `list` that is not in `other`.
export function without(list, other) {
  let rest = union(list);
  for (const [from, to] of other) {
    rest = rest.flatMap(([start, end]) => (to <= start || from >= end
      ? [[start, end]]
      : [[start, Math.min(end, from)], [Math.max(start, to), end]]
        .filter(([a, b]) => b > a)));
  }
  return rest;
}

export function total(list) {
  return list.reduce((sum, [start, end]) => sum + end - start, 0);
}
