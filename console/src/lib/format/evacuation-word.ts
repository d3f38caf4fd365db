/** What is done with the copies on a drive that gives signs. */
export function evacuationWord(verdict: 'evacuated' | 'held' | 'waits' | 'watched'): string {
  return {
    evacuated: 'Its copies leave',
    held: 'Its copies stay until the alarm is believed',
    waits: 'Its copies wait for their turn to leave',
    watched: 'Its copies stay',
  }[verdict];
}
