/** The moment that ages on the screen are told from; it moves once a second while somebody looks. */
class WallClock {
  nowMs = $state(Date.now());

  /** @returns what stops it */
  start(): () => void {
    const timer = setInterval(() => {
      if (!document.hidden) this.nowMs = Date.now();
    }, 1000);
    return () => clearInterval(timer);
  }
}

export const wallClock = new WallClock();
