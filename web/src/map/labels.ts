// Where words go on a map: boxes that keep off each other, off the marks, and if they can off the roads.

export interface Spot {
  x: number;
  y: number;
}

export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

const GAP_PX = 2;
const TOGETHER_PX = 6;

/** The box of a size whose middle is a spot. */
export function around({ x, y }: Spot, width: number, height: number): Box {
  return { left: x - width / 2, top: y - height / 2, width, height };
}

/** Moves an element whose corner lies at (x, y) into a box; hides it where there is none. */
export function put(element: HTMLElement, box: Box | null, x: number, y: number): void {
  element.style.opacity = box ? "1" : "0";
  if (box) element.style.transform = `translate(${Math.round(box.left - x)}px, ${Math.round(box.top - y)}px)`;
}

/** Whether no other mark is nearer to a box than its own: a name beside it would be read as that one's. */
export function isNearest(own: Spot, box: Box, marks: Spot[]): boolean {
  const away = (spot: Spot) =>
    Math.hypot(Math.max(box.left - spot.x, 0, spot.x - box.left - box.width), Math.max(box.top - spot.y, 0, spot.y - box.top - box.height));
  const mine = away(own);
  return marks.every((other) => Math.hypot(other.x - own.x, other.y - own.y) < TOGETHER_PX || away(other) >= mine);
}

/** What of a map is taken. Boxes are given once and never moved. */
export class Field {
  readonly #taken: Box[];

  constructor(
    readonly whole: Box,
    marks: Box[],
    readonly ways: Spot[][],
  ) {
    this.#taken = [...marks];
  }

  /** The first free box that no road crosses, else the first free one; null where all are taken. */
  take(boxes: Box[]): Box | null {
    const free = boxes.filter((box) => this.#isFree(box));
    const chosen = free.find((box) => !this.#isCrossed(box)) ?? free[0] ?? null;
    if (chosen) this.#taken.push(chosen);
    return chosen;
  }

  /** Takes this very box if it is free and no road crosses it. */
  takeClear(box: Box): boolean {
    const clear = this.#isFree(box) && !this.#isCrossed(box);
    if (clear) this.#taken.push(box);
    return clear;
  }

  #isFree(box: Box): boolean {
    const { whole } = this;
    const within = box.left >= whole.left && box.top >= whole.top && box.left + box.width <= whole.left + whole.width && box.top + box.height <= whole.top + whole.height;
    return within && this.#taken.every((other) => apart(other, box));
  }

  #isCrossed(box: Box): boolean {
    return this.ways.some((way) => way.some((spot, i) => i > 0 && crosses(way[i - 1] as Spot, spot, box)));
  }
}

function apart(a: Box, b: Box): boolean {
  return a.left + a.width + GAP_PX <= b.left || b.left + b.width + GAP_PX <= a.left || a.top + a.height + GAP_PX <= b.top || b.top + b.height + GAP_PX <= a.top;
}

/** Whether a straight line meets a box (Liang and Barsky's clipping). */
function crosses(from: Spot, to: Spot, box: Box): boolean {
  let [enter, leave] = [0, 1];
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const sides: [number, number][] = [
    [-dx, from.x - box.left],
    [dx, box.left + box.width - from.x],
    [-dy, from.y - box.top],
    [dy, box.top + box.height - from.y],
  ];
  for (const [step, room] of sides) {
    if (step === 0) {
      if (room < 0) return false;
    } else if (step < 0) enter = Math.max(enter, room / step);
    else leave = Math.min(leave, room / step);
  }
  return enter <= leave;
}
