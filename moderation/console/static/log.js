// What was done lately, so that it can be taken back: the last few, for each keeps the comments that it took off the list.

const LENGTH = 30;

export class Log {
  constructor() {
    this.done = [];
  }

  add(one) {
    this.done = [...this.done, one].slice(-LENGTH);
  }

  find(id) {
    return this.done.find((one) => one.id === id);
  }

  /** Take one out. Returns it, or undefined where it was forgotten. */
  drop(id) {
    const found = this.find(id);
    this.done = this.done.filter((one) => one !== found);
    return found;
  }

  get canTakeBack() {
    return this.done.length > 0;
  }

  takeLast() {
    return this.done.pop();
  }
}
